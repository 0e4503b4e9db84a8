import { expect, test } from 'vitest';
import { memorySource } from './memory';

test('an image that there is not is named', async () => {
  const source = memorySource(
    'two',
    [0, 1].map((i) => ({ key: `${i}`, content: { encoded: Uint8Array.of(i) } })),
  );
  expect([source.key(1), source.length]).toEqual(['1', 2]);
  for (const index of [2, -1, 0.5]) {
    expect(() => source.key(index)).toThrow(`two has no image ${index}; it has 2, counted from 0`);
    await expect(Promise.resolve().then(() => source.read(index))).rejects.toMatchObject({ code: 'argument' });
  }
});
