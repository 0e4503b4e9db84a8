import { expect, test } from 'vitest';
import { weightsFrom } from './weights';

test('values are found under flat names, whatever chunk their block is in', () => {
  const read = weightsFrom({ 'blocks.3.6.norm1.bias': [1], 'blocks.7.norm1.bias': [2] });
  expect([read('blocks.6.norm1.bias'), read('blocks.7.norm1.bias'), read('blocks.3.norm1.bias')]).toEqual([
    [1],
    [2],
    undefined,
  ]);
});
