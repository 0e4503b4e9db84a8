import { expect, test } from 'vitest';
import { readJsonArrays } from './json-arrays';

/** Reads `text` in pieces of so many bytes. */
async function arraysOf(
  text: string,
  names: readonly string[],
  pieceBytes: number,
): Promise<Record<string, unknown[]>> {
  const bytes = Buffer.from(text);
  const found: Record<string, unknown[]> = {};
  const reader = (name: string) => (element: unknown, index: number) => {
    const list = found[name] ?? [];
    list[index] = element;
    found[name] = list;
  };
  const readers = Object.fromEntries(names.map((name) => [name, reader(name)]));
  const read = async (offset: number, length: number) => bytes.subarray(offset, offset + length);
  await readJsonArrays({ name: 'file', size: bytes.length, version: '', read }, readers, pieceBytes);
  return found;
}

const value = {
  info: { images: [1, { deep: [] }], text: 'quote " bracket ] comma , backslash \\' },
  images: [{ id: 1, name: 'ä, "x" ]}' }, [2, [3]], 'four', 5, null],
  other: [9],
  empty: [],
  annotations: [{ a: [[1, 2], { b: '\\' }] }],
};

test('elements of the arrays asked for come one by one, wherever pieces of the file end', async () => {
  for (const text of [JSON.stringify(value), JSON.stringify(value, null, 2), `\n ${JSON.stringify(value)}\n`])
    for (const piece of [1, 2, 3, 7, 64, 1000])
      expect(await arraysOf(text, ['images', 'annotations', 'empty'], piece)).toEqual({
        images: value.images,
        annotations: value.annotations,
      });
});

test('what is cut short or no JSON is refused', async () => {
  const text = JSON.stringify(value);
  for (const end of [5, 40, 90, text.length - 1])
    await expect(arraysOf(text.slice(0, end), ['images'], 16)).rejects.toThrow(/cut short|no JSON/);
  await expect(arraysOf('[1]', ['images'], 16)).rejects.toThrow('file is no JSON object');
  await expect(arraysOf('{"images": [1, two]}', ['images'], 4)).rejects.toThrow('element 1 of "images" is no JSON');
  await expect(arraysOf('{"images": [1]}]', ['images'], 4)).rejects.toThrow(/bracket/);
});
