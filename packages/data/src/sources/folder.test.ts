import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { keysOf, labelsOf, readText, scratchFolder, writeFiles } from '../../test/scratch';
import { folderSource } from './folder';

let root: string;
beforeEach(() => {
  root = scratchFolder();
});

const put = (...files: string[]): void => writeFiles(root, Object.fromEntries(files.map((file) => [file, file])));

describe('folderSource', () => {
  it('lists images at any depth, sorted, and nothing else', async () => {
    put('b.PNG', 'a/x/2.jpeg', 'a/1.jpg', 'notes.txt', '.hidden/3.jpg', 'a/._1.jpg', '__MACOSX/4.jpg');
    const source = await folderSource(root);
    expect(keysOf(source)).toEqual(['a/1.jpg', 'a/x/2.jpeg', 'b.PNG']);
    expect(source.classes).toBeUndefined();
    expect(source.notes).toEqual(['3 hidden names or traces of a system are passed over, e.g. .hidden']);
  });

  it('holds no image where there are traces of images only, and says so', async () => {
    put('._1.jpg', '@eaDir/2.jpg/SYNOPHOTO_THUMB_M.jpg');
    await expect(folderSource(root)).rejects.toMatchObject({
      code: 'empty-source',
      message: expect.stringMatching(/2 hidden names or traces of a system are passed over, e\.g\. \._1\.jpg/),
    });
  });

  it.skipIf(process.platform !== 'linux')('names a file whose name is no text', async () => {
    put('1.jpg');
    writeFileSync(Buffer.from(`${root}/a\xe9.jpg`, 'latin1'), 'x');
    const source = await folderSource(root);
    expect([keysOf(source), source.notes]).toEqual([
      ['1.jpg'],
      [expect.stringMatching(/^1 files, folders or links could not be read/)],
    ]);
  });

  it('reads the bytes of the file', async () => {
    put('a/1.jpg');
    expect(await readText(await folderSource(root), 0)).toBe('a/1.jpg');
  });

  it('takes top folders for classes when every image lies in one', async () => {
    put('dog/2.jpg', 'cat/deep/1.jpg', 'dog/1.jpg');
    const source = await folderSource(root);
    expect(source.classes).toEqual(['cat', 'dog']);
    expect(labelsOf(source)).toEqual([0, 1, 1]);
  });

  it('passes through folders that all images share', async () => {
    put('set/images/cat/1.jpg', 'set/images/dog/2.jpg');
    const source = await folderSource(root);
    expect(source.classes).toEqual(['cat', 'dog']);
  });

  it('has no classes for a single folder, for mixed depths, or when told so', async () => {
    put('only/1.jpg', 'only/2.jpg');
    expect((await folderSource(root)).classes).toBeUndefined();
    put('other/3.jpg');
    expect((await folderSource(root)).classes).toEqual(['only', 'other']);
    expect((await folderSource(root, { labels: 'none' })).classes).toBeUndefined();
    put('loose.jpg');
    expect((await folderSource(root)).classes).toBeUndefined();
  });

  it('labels by the class list it is given', async () => {
    put('dog/1.jpg', 'cat/2.jpg', 'emu/3.jpg');
    const source = await folderSource(root, { classes: ['ant', 'cat', 'dog'] });
    expect(labelsOf(source)).toEqual([1, 2, undefined]);
  });

  it('labels a part that holds one class only, where the class list is given', async () => {
    put('dog/1.jpg', 'dog/2.jpg');
    expect(labelsOf(await folderSource(root, { classes: ['cat', 'dog'] }))).toEqual([1, 1]);
  });

  it('follows links, and ends where they form loops', async () => {
    put('real/a/1.jpg', 'real/b/2.jpg');
    symlinkSync(path.join(root, 'real'), path.join(root, 'real/a/loop'));
    symlinkSync(path.join(root, 'real/b'), path.join(root, 'real/a/across'));
    symlinkSync(path.join(root, 'real/a'), path.join(root, 'a-first-by-name'));
    symlinkSync(path.join(root, 'real/a/1.jpg'), path.join(root, 'link.jpg'));
    symlinkSync('nowhere', path.join(root, 'dangling.jpg'));
    const source = await folderSource(root);
    expect(keysOf(source)).toEqual(['link.jpg', 'real/a/1.jpg', 'real/b/2.jpg']);
    expect(source.notes).toEqual([expect.stringContaining('dangling.jpg')]);
  });

  it('enters a linked folder that lies elsewhere', async () => {
    put('elsewhere/1.jpg');
    mkdirSync(path.join(root, 'set'));
    symlinkSync(path.join(root, 'elsewhere'), path.join(root, 'set/linked'));
    expect(keysOf(await folderSource(path.join(root, 'set')))).toEqual(['linked/1.jpg']);
  });

  it('is an image error when one file has gone', async () => {
    put('1.jpg', '2.jpg');
    const source = await folderSource(root);
    rmSync(path.join(root, '1.jpg'));
    await expect(source.read(0)).rejects.toMatchObject({ code: 'unreadable-image' });
    expect(await source.read(1)).toHaveProperty('encoded');
  });

  it.skipIf(process.getuid?.() === 0)('reports a folder it may not enter and goes on', async () => {
    put('open/1.jpg', 'closed/2.jpg');
    chmodSync(path.join(root, 'closed'), 0);
    const source = await folderSource(root);
    chmodSync(path.join(root, 'closed'), 0o755);
    expect(keysOf(source)).toEqual(['open/1.jpg']);
    expect(source.notes).toEqual([expect.stringContaining('closed')]);
  });

  it('says what an unusable folder holds', async () => {
    put('1.bmp', '2.bmp', 'readme.md');
    await expect(folderSource(root)).rejects.toMatchObject({
      code: 'empty-source',
      message: expect.stringMatching(/2 \.bmp/),
    });
    put('3.jpg');
    expect((await folderSource(root)).notes).toEqual([expect.stringMatching(/2 \.bmp files are not used/)]);
  });

  it('refuses a folder that is not there', async () => {
    await expect(folderSource(path.join(root, 'missing'))).rejects.toMatchObject({ code: 'not-found' });
  });
});
