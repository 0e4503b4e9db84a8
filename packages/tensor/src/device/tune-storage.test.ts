import { expect, test } from 'vitest';
import { tuneStorage } from './tune-storage';

function storage(text: string | null) {
  const items = { value: text };
  return {
    items,
    getItem: () => items.value,
    setItem: (_: string, value: string) => {
      items.value = value;
    },
  };
}

test('choices outlive the cache, and those of another page stay', () => {
  const shared = storage(null);
  const [one, other] = [tuneStorage(shared, 'a'), tuneStorage(shared, 'a')];
  one.set('x', 'fast');
  other.set('y', 'tall');
  expect(JSON.parse(shared.items.value!)).toEqual({ x: 'fast', y: 'tall' });
  expect(tuneStorage(shared, 'a').get('x')).toBe('fast');
});

test.each(['', '{', '7', 'null', '[1]', '{"x": 1}'])('%j counts as empty', (text) => {
  expect(tuneStorage(storage(text), 'a').get('x')).toBeUndefined();
});

test('a storage that refuses leaves choices to the page', () => {
  const refuse = () => {
    throw new Error('quota');
  };
  const cache = tuneStorage({ getItem: refuse, setItem: refuse }, 'a');
  cache.set('x', 'fast');
  expect(cache.get('x')).toBe('fast');
});
