/** In which order files of tests are begun: those of a few lines that take long would else come last, with nothing beside them. */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const LONG = /\/(imports\/(reading\/)?memory|operations\/deploy\/(pages|container))\.test\.ts$/;

export default class Sequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const { long = [], others = [] } = Object.groupBy(sorted, ({ moduleId }) =>
      LONG.test(moduleId) ? 'long' : 'others',
    );
    return [...long, ...others];
  }
}
