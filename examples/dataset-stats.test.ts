import { expect, test } from 'vitest';
import { runExample } from '../test/support/run-example';

test('a data set is described: parts, classes, sizes, mean and deviation', async () => {
  const printed = await runExample('dataset-stats.ts', 'world:length=20:size=32:classes=4', '10');
  expect(printed).toMatch(/^generated world \(train, 4 classes, seed 0\): 20 images, 4 classes$/m);
  expect(printed).toMatch(/^ {2}short side: 32 to 32, median 32$/m);
  expect(printed.match(/^ {2}mean 0\.\d{4}, 0\.\d{4}, 0\.\d{4}$/gm)).toHaveLength(2);
});
