/** Reading what an address asks for: what means nothing is left out, with a sentence that says so. */
import type { Fields } from './forms.ts';
import { quotable, trim } from './text.ts';

/** @param notices gets the sentences; `rule` completes "status=x was ignored: …". */
export function parameterReader(query: Fields, notices: string[]) {
  return <T>(name: string, parse: (value: string) => T | undefined, rule: string): T | undefined => {
    const value = trim(query[name] ?? '');
    if (!value) return undefined;
    const parsed = parse(value);
    if (parsed === undefined) notices.push(`${name}=${quotable(value)} was ignored: ${rule}.`);
    return parsed;
  };
}
