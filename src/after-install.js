/** Run by `npm ci`: what makes Roster start, and start fast. */
import { execSync } from 'node:child_process';

// Links the Node that it has installed, as npm 10 does not.
execSync('npm rebuild --ignore-scripts', { stdio: 'pipe' });
try {
  // By that Node, which the shell finds first.
  execSync('node src/make-bundle.js', { stdio: 'pipe' });
} catch (error) {
  // It starts without one as well, in twice the time.
  console.warn(`Roster will start from its files, since they could not be bundled: ${error}`);
}
