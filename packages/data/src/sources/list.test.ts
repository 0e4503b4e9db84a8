import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { keysOf, labelsOf, readText, scratchFolder, writeFiles } from '../../test/scratch';
import { listSource } from './list';
import { openSplits } from './open-splits';

let root: string;
beforeEach(() => {
  root = scratchFolder();
});
const put = (...files: string[]): void => writeFiles(root, Object.fromEntries(files.map((file) => [file, file])));
const open = (text: string | Uint8Array, options = {}): ReturnType<typeof listSource> => {
  writeFiles(root, { 'list.txt': text });
  return listSource(path.join(root, 'list.txt'), options);
};

describe('listSource', () => {
  it('reads paths relative to the list, and absolute ones', async () => {
    writeFiles(root, { 'a/1.jpg': 'one', 'b 2.jpg': 'two' });
    const source = await open(`# my pictures\na/1.jpg\n\n${path.join(root, 'b 2.jpg')}\r\n`);
    expect(source.length).toBe(2);
    expect([await readText(source, 0), await readText(source, 1)]).toEqual(['one', 'two']);
    expect(source.classes).toBeUndefined();
  });

  it('takes an integer behind the last space, or anything behind a tab, for the label', async () => {
    put('my cat 1.jpg', 'dog.jpg', 'none.jpg', 'sea 3.jpg', 'a 7.jpg', 'b.jpg');
    const numbers = await open('my cat 1.jpg 10\ndog.jpg   2\nnone.jpg\nsea 3.jpg\n');
    expect(keysOf(numbers)).toEqual(['my cat 1.jpg', 'dog.jpg', 'none.jpg', 'sea 3.jpg']);
    expect([numbers.classes, labelsOf(numbers)]).toEqual([
      ['2', '10'],
      [1, 0, undefined, undefined],
    ]);
    const names = await open('a 7.jpg\tgolden retriever\nb.jpg\tcat\n');
    expect([keysOf(names), names.classes, labelsOf(names)]).toEqual([
      ['a 7.jpg', 'b.jpg'],
      ['cat', 'golden retriever'],
      [1, 0],
    ]);
  });

  it('labels by the class list it is given', async () => {
    put('a.jpg', 'b.jpg');
    const source = await open('a.jpg 5\nb.jpg 006\n', { classes: ['6'] });
    expect([labelsOf(source), source.unlistedClass?.(0)]).toEqual([[undefined, 0], '5']);
  });

  it('takes -1 for an image of no class, which is no part of its name', async () => {
    put('a.jpg', 'b.jpg', 'c d.jpg', 'e', 'sea -2.jpg');
    const source = await open('a.jpg -1\nb.jpg 3\n"c d.jpg" -1\ne -1\nsea -2.jpg\n');
    expect([keysOf(source), source.classes, labelsOf(source)]).toEqual([
      ['a.jpg', 'b.jpg', 'c d.jpg', 'e', 'sea -2.jpg'],
      ['3'],
      [undefined, 0, undefined, undefined, undefined],
    ]);
    expect(source.unlistedClass?.(0)).toBeUndefined();
    const foreign = await open('path,label\na.jpg,-1\nb.jpg,-1\n');
    expect([keysOf(foreign), foreign.classes]).toEqual([['a.jpg', 'b.jpg'], undefined]);
  });

  it('starts paths at a root that is given, in the text too, for both parts', async () => {
    put('pictures/a/1.jpg', 'pictures/2.jpg');
    writeFiles(root, { 'lists/train.txt': 'a/1.jpg 0\n', 'lists/val.txt': '2.jpg 0\n' });
    const pictures = path.join(root, 'pictures');
    const list = path.join(root, 'lists/train.txt');
    expect(await readText(await listSource(list, { root: pictures }), 0)).toBe('pictures/a/1.jpg');
    for (const text of [`list:${list}:root=${pictures}`, `${list}:root=${pictures}`]) {
      const { train, val } = await openSplits(text);
      expect([await readText(train, 0), await readText(val, 0)]).toEqual(['pictures/a/1.jpg', 'pictures/2.jpg']);
    }
    await expect(listSource(list)).rejects.toThrow(
      /none of 1 file is there.*write list:.*train.txt:root=FOLDER for another/,
    );
    await expect(listSource(list, { root: path.join(root, 'nothing') })).rejects.toMatchObject({ code: 'not-found' });
  });

  it('is an image error when a listed file is not there or is a folder', async () => {
    put('folder.jpg/x', 'there.jpg');
    const source = await open('gone.jpg\nfolder.jpg\nthere.jpg\n');
    expect(source.notes).toEqual([expect.stringMatching(/^2 of 3 files .*the first is "gone.jpg" on line 1/)]);
    await expect(source.read(0)).rejects.toMatchObject({ code: 'unreadable-image' });
    await expect(source.read(1)).rejects.toMatchObject({ code: 'unreadable-image' });
  });

  it.each([
    ['a table', 'label;path\n3;a b.jpg\n'],
    ['a table with other columns', ',path,width,class\n0,"a b.jpg",4,"3"\n'],
    ['two columns, the second of any name', 'image,breed\na b.jpg,3\n'],
    ['commas', 'a b.jpg,3\n'],
    ['quotes', '"a b.jpg" 3\n'],
    ['quotes and commas', '"a b.jpg","3"\n'],
    ['tabs and Windows line ends', '# mine\r\na b.jpg\t3\r\n\r\n'],
    ['a byte order mark', '\ufeffa b.jpg 3\n'],
    ['UTF-16', Buffer.from('\ufeffa b.jpg 3\r\n', 'utf16le')],
    ['backslashes', '.\\a b.jpg 3\n'],
  ])('reads %s', async (_, text) => {
    put('a b.jpg');
    const source = await open(text);
    expect([source.classes, labelsOf(source), await readText(source, 0), source.notes]).toEqual([
      ['3'],
      [0],
      'a b.jpg',
      undefined,
    ]);
  });

  it.each([
    ['fields too many', 'a.jpg 1\nb.jpg,1,2\n', /line 2: "b.jpg,1,2" has more than one label/],
    ['tabs too many', 'a.jpg\t1\tx\n', /line 1: .* has 3 fields/],
    ['several labels', '\na.jpg 1 2\n', /line 2: .* more than one label/],
    ['unknown columns', 'id,breed\nx,cat\n', /line 1: "id,breed" is not understood; expected a path/],
    ['no column of labels', 'path,width,height\na.jpg,1,2\n', /line 1: .* names no column of labels/],
    ['a short row', 'path,label\na.jpg\n', /line 2: "a.jpg" has not the 2 columns/],
    ['a quote without end', '"a.jpg 1\n', /line 1: .* quote/],
    ['no end', `a.jpg${' '.repeat(1e6)}1\n`, /line 1: .* has 1000006 characters/],
    ['an address', 'https://x.org/a.jpg 1\n', /line 1: .* is an address/],
  ])('names the line with %s', async (_, text, message) => {
    put('a.jpg', 'b.jpg');
    await expect(open(text)).rejects.toMatchObject({ code: 'spec', message: expect.stringMatching(message) });
  });

  it('passes over hidden files, and says which lines have no label or repeat a file; keys stay unique', async () => {
    put('a.jpg', 'b.jpg');
    const source = await open('a.jpg 1\n._a.jpg 1\n__MACOSX/b.jpg 1\nb.jpg\n./a.jpg 2\n');
    expect(keysOf(source)).toEqual(['a.jpg', 'b.jpg', './a.jpg (line 5)']);
    expect(source.notes).toEqual([
      expect.stringMatching(/^2 hidden files .* are passed over$/),
      expect.stringMatching(/lists 1 file again, the first \.\/a\.jpg on line 5.*another label on line 5/),
      expect.stringMatching(/^1 of 3 lines .* have no label, the first 4 \(b\.jpg\)$/),
    ]);
  });

  it('refuses a list of which nothing is there, with the first file and its line', async () => {
    await expect(open('\nx/gone.jpg 1\nlost.jpg 2\n')).rejects.toMatchObject({
      code: 'empty-source',
      message: expect.stringMatching(/none of 2 files is there; the first is "x\/gone.jpg" on line 2/),
    });
  });

  it('refuses an empty list, a binary file and a missing one', async () => {
    await expect(open('\n# nothing\n')).rejects.toMatchObject({ code: 'empty-source' });
    await expect(open('a\0b')).rejects.toMatchObject({ code: 'spec' });
    await expect(listSource(path.join(root, 'none.txt'))).rejects.toMatchObject({ code: 'not-found' });
  });
});
