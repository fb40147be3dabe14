/** In which order files of tests are begun: those of a few lines that take long would else come last, with nothing beside them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const LONG = [
  'imports/memory',
  'imports/reading/memory',
  'operations/deploy/pages',
  'operations/deploy/container',
].map((name) => join(import.meta.dirname, `${name}.test.ts`));

for (const path of LONG) if (!existsSync(path)) throw new Error(`There is no ${path} to begin with.`);

export default class Sequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const { long = [], others = [] } = Object.groupBy(sorted, ({ moduleId }) =>
      LONG.includes(moduleId) ? 'long' : 'others',
    );
    return [...long, ...others];
  }
}
