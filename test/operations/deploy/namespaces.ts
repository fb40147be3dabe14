/** What tests share that run something apart from this machine: by `unshare`, and with an environment of its own. */
import type { ChildProcess } from 'node:child_process';
import { childrenOf } from '../../children.ts';

/** The number, on this machine, of what is number 1 in the namespaces of `unshare --fork`; 0 where there is none yet. */
export function firstProcessIn({ pid }: ChildProcess): number {
  return childrenOf(Number(pid))[0] ?? 0;
}

/** Without what npm and the runner of the tests say of this folder; with an npm that fetches what it does not have, and no more. */
export function withoutNpm(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const isOther = /^(npm_(package|lifecycle|config_local_prefix|command)|INIT_CWD|NODE_|VITEST|GIT_)/;
  const others = Object.entries(env).filter(([name]) => !isOther.test(name));
  return { ...Object.fromEntries(others), npm_config_prefer_offline: 'true' };
}
