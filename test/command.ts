/** A command in the process of the tests, which takes no time to start: what it says, and with which code it would end. */
import { Readable } from 'node:stream';
import { vi } from 'vitest';
import { main } from '../src/cli/commands.ts';
import { keyOf } from './roster.ts';

/** One at a time. @param input what it reads from standard input */
export async function runCommand(
  args: readonly string[],
  settings: Record<string, string>,
  input: string | Buffer = '',
) {
  const said = { out: '', error: '', code: 0 };
  const write = (to: 'out' | 'error') => (line: string) => {
    said[to] += `${line}\n`;
  };
  const spies = [
    vi.spyOn(console, 'log').mockImplementation(write('out')),
    vi.spyOn(console, 'warn').mockImplementation(write('error')),
    vi.spyOn(console, 'error').mockImplementation(write('error')),
    vi.spyOn(process, 'exit').mockImplementation((code) => {
      said.code = Number(code);
      return undefined as never;
    }),
    vi.spyOn(process, 'stdin', 'get').mockReturnValue(readable(input) as typeof process.stdin),
  ];
  try {
    await main([...args], { ...keyOf(settings), ...settings });
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return said;
}

function readable(input: string | Buffer): Readable {
  return Readable.from(input.length > 0 ? [Buffer.from(input)] : []);
}
