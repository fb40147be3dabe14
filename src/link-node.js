/** Run by `npm ci`: links the Node that it has installed, which npm 10 leaves out. Says nothing unless that fails. */
import { execSync } from 'node:child_process';

execSync('npm rebuild --ignore-scripts', { stdio: 'pipe' });
