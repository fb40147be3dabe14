import { defineConfig } from 'vitest/config';

const shared = {
  // A real Chromium starts in some tests, a whole Roster in others; the machines that run them can be slow.
  testTimeout: 60_000,
  hookTimeout: 60_000,
};

export default defineConfig({
  test: {
    // Much of what they do is wait for a process, a disk or a browser.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          ...shared,
          name: 'sqlite',
          include: ['test/**/*.test.ts'],
          exclude: ['test/db/postgres/**', 'test/reliability/**'],
          provide: { engine: 'sqlite', isLong: false },
        },
      },
      {
        test: {
          ...shared,
          name: 'postgres',
          include: ['test/**/*.test.ts'],
          // What a page looks like to a browser does not depend on where its users are.
          exclude: ['test/db/sqlite/**', 'test/browser/accessibility.test.ts', 'test/browser/markup.test.ts'],
          provide: { engine: 'postgres', isLong: false },
          globalSetup: 'test/postgres/setup.ts',
        },
      },
      {
        test: {
          ...shared,
          // Each may take two minutes; in `npm test` they run in a short form.
          testTimeout: 180_000,
          name: 'reliability',
          include: ['test/reliability/**/*.test.ts'],
          provide: { engine: 'postgres', isLong: true },
          globalSetup: 'test/postgres/setup.ts',
        },
      },
    ],
  },
});
