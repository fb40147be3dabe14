/** What a process has started, as Linux tells it. */
import { readFileSync } from 'node:fs';

/** https://man7.org/linux/man-pages/man5/proc_pid_task_tid_children.5.html @throws Error where it has ended */
export function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}
