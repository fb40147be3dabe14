/** Another process that tidies the same folder: keeps the refused rows of a stage alone, again and again. */
import { workerData } from 'node:worker_threads';
import { keepRefusedAlone } from '../../src/db/stage-file.ts';

const { path, times } = workerData as { path: string; times: number };
for (let time = 0; time < times; time++) keepRefusedAlone(path);
