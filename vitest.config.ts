import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // A real Chromium starts in some tests, a whole Roster in others; the machines that run them can be slow.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
