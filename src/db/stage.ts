/** Rows that wait until they are applied: a SQLite file of their own, whatever the directory is on. */
export * from './sqlite/stage-file.ts';
