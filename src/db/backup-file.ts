/** A backup is a file of SQLite's, whatever it is of. */
export { compactFile, copyFile, identityIn, isBackup, makeWhole } from './sqlite/backup-file.ts';
