import { defineConfig } from 'vitest/config';

const shared = {
  // A real Chromium starts in some tests, a whole Roster in others; the machines that run them can be slow.
  testTimeout: 60_000,
  hookTimeout: 60_000,
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: 'sqlite',
          include: ['test/**/*.test.ts'],
          exclude: ['test/db/postgres/**', 'test/reliability/**'],
          provide: { engine: 'sqlite' },
        },
      },
      {
        test: {
          ...shared,
          name: 'postgres',
          include: ['test/**/*.test.ts'],
          exclude: ['test/db/sqlite/**'],
          provide: { engine: 'postgres' },
          globalSetup: 'test/postgres/setup.ts',
        },
      },
    ],
  },
});
