import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { tarOf } from '../../test/archives';
import { scratchFolder, writeFiles } from '../../test/scratch';
import { openFileTree, subtree } from './file-tree';

const FILES = {
  'VOCdevkit/VOC2012/JPEGImages/b.jpg': 'b',
  'VOCdevkit/VOC2012/JPEGImages/a.jpg': 'a',
  'VOCdevkit/VOC2012/Annotations/a.xml': '<a/>',
  'VOCdevkit/readme.txt': 'read me',
};

async function trees() {
  const folder = scratchFolder();
  writeFiles(folder, FILES);
  const archive = path.join(scratchFolder(), 'voc.tar');
  writeFileSync(archive, await tarOf(FILES));
  const parts = scratchFolder();
  const names = Object.keys(FILES) as (keyof typeof FILES)[];
  writeFileSync(
    path.join(parts, '1.tar'),
    await tarOf(Object.fromEntries(names.slice(0, 2).map((n) => [n, FILES[n]]))),
  );
  writeFileSync(path.join(parts, '2.tar'), await tarOf(Object.fromEntries(names.slice(2).map((n) => [n, FILES[n]]))));
  writeFiles(parts, { 'README.md': 'unpack me' });
  return { folder, archive, parts };
}

test('a folder, an archive and a folder of archives are the same files', async () => {
  for (const target of Object.values(await trees())) {
    const tree = await openFileTree(target);
    expect(tree.notes).toEqual([]);
    expect(tree.list('')).toEqual(Object.keys(FILES).sort());
    expect(tree.names('VOCdevkit')).toEqual(['VOC2012', 'readme.txt']);
    const voc = subtree(tree, 'VOCdevkit/VOC2012');
    expect(voc.names('')).toEqual(['Annotations', 'JPEGImages']);
    expect(voc.list('JPEGImages')).toEqual(['a.jpg', 'b.jpg']);
    expect(['JPEGImages', 'JPEGImages/a.jpg', 'JPEG', 'JPEGImages/c.jpg'].map(voc.has)).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(Buffer.from(await voc.read('JPEGImages/b.jpg')).toString()).toBe('b');
    const xml = await voc.open('Annotations/a.xml');
    expect([xml.size, Buffer.from(await xml.read(1, 2)).toString()]).toEqual([4, 'a/']);
    await expect(xml.read(3, 2)).rejects.toMatchObject({ code: 'damaged-file' });
    await expect(voc.open('Annotations/c.xml')).rejects.toThrow(/c\.xml/);
    expect(await voc.version('JPEGImages/b.jpg')).not.toBe(await voc.version('Annotations/a.xml'));
    await expect(voc.read('JPEGImages/c.jpg')).rejects.toMatchObject({ code: 'unreadable-image' });
  }
});

test('what is cut short keeps what came before, and says so; what is no archive is refused', async () => {
  const folder = scratchFolder();
  const bytes = await tarOf(FILES);
  writeFileSync(path.join(folder, 'cut.tar'), bytes.subarray(0, 1536));
  const tree = await openFileTree(path.join(folder, 'cut.tar'));
  expect(tree.list('')).toHaveLength(1);
  expect(tree.notes[0]).toMatch(/what came before is used/);
  writeFiles(folder, { 'notes.zip': 'PK' });
  await expect(openFileTree(path.join(folder, 'notes.zip'))).rejects.toThrow(/no tar archive.*unpack/);
  await expect(openFileTree(path.join(folder, 'nothing'))).rejects.toMatchObject({ code: 'not-found' });
  await expect(openFileTree(scratchFolder())).rejects.toMatchObject({ code: 'empty-source' });
});
