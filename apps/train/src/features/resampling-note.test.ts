import { vitConfig } from '@franca/vit';
import { expect, test } from 'vitest';
import { resamplingNote } from './resampling-note';

test('resampled positions are stated with both grids and how it was done; a table that fits is not', () => {
  const config = vitConfig('base', { imgSize: 518 });
  expect(resamplingNote({ config, assumed: [] }, 518)).toBeUndefined();
  expect(resamplingNote({ config, assumed: [] }, 224)).toBe(
    'positions resampled from 37 x 37 (518 px) to 16 x 16 (224 px), bicubic, not antialiased, offset 0.1',
  );
  expect(resamplingNote({ config, assumed: [] }, 'the grid of each picture')).toBe(
    'positions resampled from 37 x 37 (518 px) to the grid of each picture, bicubic, not antialiased, offset 0.1',
  );
  const registers = { ...config, numRegisterTokens: 4, interpolateOffset: 0, interpolateAntialias: true };
  expect(resamplingNote({ config: registers, assumed: ['interpolateOffset'] }, 224)).toMatch(
    /bicubic, antialiased, offset 0 \(assumed, as in DINOv2 with registers\)$/,
  );
  expect(resamplingNote({ config, assumed: ['interpolateAntialias'] }, 98)).toMatch(
    /to 7 x 7 .*\(assumed, as in DINOv2 without registers and Franca; timm: --interpolate-offset 0 --interpolate-antialias\)$/,
  );
});
