/** What `npm start` sets for Node, and gives to it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const { scripts } = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8'));
const [, name = '', value = '', args = ''] = /^exec env (\w+)=(\S+) node (.*)$/.exec(scripts.start) ?? [];

export const START = { env: { [name]: value }, args: args.split(' ') };
