import { expect, test } from 'vitest';
import { runExample } from '../test/support/run-example';

test('a ViT memorises pictures with random labels', async () => {
  expect(await runExample('overfit-vit.ts')).toMatch(/All 32 pictures are memorised/);
});
