/** Which Roster this is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const file = readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8');

export const VERSION: string = JSON.parse(file).version;
