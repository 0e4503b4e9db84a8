import { expect, test } from 'vitest';
import { runExample } from '../test/support/run-example';

test('a quarter of the patches is kept, and the decoder sees each at its place', async () => {
  const printed = await runExample('mae-masking.ts');
  const kept = printed
    .match(/keep 16 of 64 patches: ([\d ]+)/)![1]!
    .split(' ')
    .map(Number);
  expect(kept).toHaveLength(16);
  const decoderInput = printed.split('image order:\n')[1]!.replaceAll('\n', '');
  const expected = Array.from({ length: 64 }, (_, cell) =>
    kept.includes(cell) ? String.fromCharCode(0x41 + (cell % 26)) : '.',
  );
  expect(decoderInput).toBe(expected.join(''));
});
