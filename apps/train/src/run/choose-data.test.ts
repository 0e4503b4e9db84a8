import { expect, onTestFinished, test, vi } from 'vitest';
import { chooseData } from './choose-data';

// Nobody may make folders in /sys, root neither.
test.skipIf(process.platform !== 'linux')(
  'where photographs have no place, a generated world is trained on and said',
  async () => {
    vi.stubEnv('XDG_CACHE_HOME', '/sys');
    onTestFinished(() => void vi.unstubAllEnvs());
    const { spec, splits, notes } = await chooseData(undefined, 0.1, 0, () => {});
    onTestFinished(() => splits.close());
    expect(spec).toMatch(/^world:/);
    expect(notes[0]).toMatch(
      /no place for the flower photographs .*\/sys\/franca.* cannot be written .*XDG_CACHE_HOME names another/,
    );
  },
);
