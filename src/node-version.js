/** Which Node Roster needs, and how to get it where an older one runs it. Plain JavaScript that the older one reads. */
import { existsSync, readFileSync } from 'node:fs';

const OLDEST = { major: 24, minor: 20 };

/** @param {string} path */
const inProject = (path) => new URL(`../${path}`, import.meta.url);

/** @param {string} version as in `process.versions.node` */
export function isTooOld(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < OLDEST.major || (major === OLDEST.major && minor < OLDEST.minor);
}

/** @param {string} version */
export function howToGetNewer(version) {
  return `Roster needs Node ${OLDEST.major}.${OLDEST.minor} or newer, not ${version}${whereItIs()}`;
}

function whereItIs() {
  const platform = `${process.platform}-${process.arch}`;
  if (!isOffered(platform)) return `, and npm has none for ${platform}: install one.`;
  const program = process.platform === 'win32' ? 'node.cmd' : 'node';
  if (existsSync(inProject(`node_modules/.bin/${program}`)))
    return '; "npm start" and "npm run roster" run the one that "npm ci" installed.';
  return ', and its own is not installed: "npm ci --include=optional && npm rebuild --ignore-scripts" does that.';
}

/** @param {string} platform */
function isOffered(platform) {
  const { optionalDependencies } = JSON.parse(readFileSync(inProject('package.json'), 'utf8'));
  const ending = `-${platform.replace('win32', 'win')}`;
  return Object.keys(optionalDependencies).some((name) => name.endsWith(ending));
}
