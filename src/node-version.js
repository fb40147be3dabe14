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

/**
 * @param {string} version
 * @param {boolean} isByNpm whether a script of npm runs it, on whose path the project's own Node would come first
 */
export function howToGetNewer(version, isByNpm) {
  return `Roster needs Node ${OLDEST.major}.${OLDEST.minor} or newer, not ${version}${whereItIs(isByNpm)}`;
}

/** @param {boolean} isByNpm */
function whereItIs(isByNpm) {
  const platform = `${process.platform}-${process.arch}`;
  const offered = packageFor(platform);
  if (offered === undefined) return `, and npm has none for ${platform}: install one.`;
  const program = process.platform === 'win32' ? 'node.cmd' : 'node';
  if (existsSync(inProject(`node_modules/.bin/${program}`)) && !isByNpm)
    return '; "npm start" and "npm run roster" run the one that "npm ci" installed.';
  // With `ignore-scripts` npm 10 leaves out what links it.
  const link = 'npm rebuild --ignore-scripts --bin-links';
  return existsSync(inProject(`node_modules/${offered}`))
    ? `, and its own, node_modules/${offered}, is not linked as node_modules/.bin/${program}: "${link}" does that, then "npm start" again.`
    : `, and its own, node_modules/${offered}, is not installed: "npm ci --include=optional && ${link}" does that, then "npm start" again.`;
}

/** @param {string} platform */
function packageFor(platform) {
  const { optionalDependencies } = JSON.parse(readFileSync(inProject('package.json'), 'utf8'));
  const ending = `-${platform.replace('win32', 'win')}`;
  return Object.keys(optionalDependencies).find((name) => name.endsWith(ending));
}
