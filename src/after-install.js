/** Run by `npm ci`: what npm leaves out. Says nothing unless that fails. */
import { execSync } from 'node:child_process';

// Links the Node that it has installed, as npm 10 does not.
execSync('npm rebuild --ignore-scripts', { stdio: 'pipe' });
// By that Node, which the shell finds first.
execSync('node src/make-bundle.js', { stdio: 'pipe' });
