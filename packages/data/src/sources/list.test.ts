import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { keysOf, labelsOf, readText, scratchFolder, writeFiles } from '../../test/scratch';
import { listSource } from './list';

let root: string;
beforeEach(() => {
  root = scratchFolder();
});
const open = (text: string, options = {}): ReturnType<typeof listSource> => {
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
    expect(labelsOf(await open('a.jpg 5\nb.jpg 6\n', { classes: ['6'] }))).toEqual([undefined, 0]);
  });

  it('is an image error when a listed file is not there or is a folder', async () => {
    writeFiles(root, { 'folder.jpg/x': '' });
    const source = await open('gone.jpg\nfolder.jpg\n');
    await expect(source.read(0)).rejects.toMatchObject({ code: 'unreadable-image' });
    await expect(source.read(1)).rejects.toMatchObject({ code: 'unreadable-image' });
  });

  it('refuses an empty list, a binary file and a missing one', async () => {
    await expect(open('\n# nothing\n')).rejects.toMatchObject({ code: 'empty-source' });
    await expect(open('a\0b')).rejects.toMatchObject({ code: 'bad-spec' });
    await expect(listSource(path.join(root, 'none.txt'))).rejects.toMatchObject({ code: 'not-found' });
  });
});
