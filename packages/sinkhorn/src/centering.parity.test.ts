import { describe, test } from 'vitest';
import { checkParity, parityFile } from '../../../test/support/parity';
import { batchMean, centeredSoftmax, nextCenter } from './centering-arrays';
import type { Shape } from './logits';

const file = parityFile('loss_centering');
const { K: prototypes, temps, center_momentum } = file.config;
const tolerance = { absolute: 1e-6 };

describe.each(['cls', 'patch'])('%s tokens', (tokens) => {
  test('targets and centre agree at every step', () => {
    let center = new Float64Array(prototypes);
    temps.forEach((temperature: number, step: number) => {
      const name = (field: string) => `s${step}.${tokens}_${field}`;
      const logits = file.floats(name('logits'));
      const shape = file.shape(name('logits')) as unknown as Shape;
      checkParity(file, name('center_used'), center, file.floats(name('center_used')), tolerance);
      const probs = centeredSoftmax(logits, shape, { center, temperature });
      checkParity(file, name('probs'), probs, file.floats(name('probs')), tolerance);
      center = nextCenter(center, batchMean(logits, shape), center_momentum);
    });
    const final = `final.${tokens}_center`;
    checkParity(file, final, center, file.floats(final), tolerance);
  });
});
