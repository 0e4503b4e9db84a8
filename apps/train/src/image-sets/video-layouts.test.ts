import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tarOf } from '../../../../packages/data/test/archives';
import { below, type Files, without, writeFiles } from '../../test/file-trees';
import { maskPng } from '../../test/mask-files';
import { temporaryFolder } from '../../test/tiny-model';
import { davisFiles, frameMask, frameName, framePicture, HEIGHT, movingIds, WIDTH } from '../../test/video-files';
import { isBoxData } from './box-set';
import { isVideoData, openVideos } from './video-layouts';
import { scoredObjects } from './video-listed';

let folder: string;
let davis: Files;
beforeAll(async () => {
  folder = await temporaryFolder();
  davis = await davisFiles({ bear: [1], pair: [1, 3] });
});
afterAll(() => rm(folder, { recursive: true }));

const written = (name: string, files: Files): Promise<string> => writeFiles(join(folder, name), files);

describe('DAVIS', () => {
  test('gives the sequences of a list with their frames, masks as indices and objects', async () => {
    const { sequences, dataset, split, scoring, total, notes } = await openVideos(await written('davis', davis));
    expect([dataset, split, scoring, total, notes]).toEqual(['davis-2017', 'val', 'davis-2017', 2, []]);
    expect(sequences.map(({ name, size, objects }) => [name, size, objects])).toEqual([
      ['bear', [HEIGHT, WIDTH], [{ id: 1, first: 0 }]],
      [
        'pair',
        [HEIGHT, WIDTH],
        [
          { id: 1, first: 0 },
          { id: 3, first: 0 },
        ],
      ],
    ]);
    const [, pair] = sequences;
    expect(pair!.frames).toEqual(['00000', '00001', '00002', '00003', '00004']);
    expect(Array.from((await pair!.mask(2)).ids)).toEqual(movingIds(2, [1, 3]));
    expect(await pair!.read(1)).toMatchObject({ width: WIDTH, height: HEIGHT });
    expect(scoredObjects(pair!, scoring)).toEqual([
      { id: 1, frames: [1, 2, 3] },
      { id: 3, frames: [1, 2, 3] },
    ]);
  });

  test('is the same above its folder and in a tar; some sequences may be named or counted', async () => {
    const inside = below('DAVIS', davis);
    const above = await written('above', inside);
    const tar = join(folder, 'davis.tar');
    await writeFile(tar, Buffer.from(await tarOf(inside)));
    for (const spec of [above, join(above, 'DAVIS'), tar]) {
      const { sequences } = await openVideos(spec);
      expect(sequences.map(({ name }) => name)).toEqual(['bear', 'pair']);
    }
    expect([above, join(above, 'DAVIS'), tar, folder].map(isVideoData)).toEqual([true, true, false, true]);
    const named = await openVideos(above, { sequences: ['pair'] });
    expect([named.sequences.length, named.total, named.notes.join()]).toEqual([
      1,
      2,
      expect.stringMatching(/^1 of 2 sequences/),
    ]);
    expect((await openVideos(above, { sequences: 1 })).sequences[0]!.name).toBe('bear');
    await expect(openVideos(above, { sequences: ['cat'] })).rejects.toThrow(/has no sequence cat; it has bear, pair/);
  });

  test('of several resolutions 480p is taken, else the one that is named', async () => {
    const both = await written('both', { ...davis, ...(await davisFiles({ bear: [1] }, 5, 'Full-Resolution')) });
    await writeFile(join(both, 'ImageSets/2017/val.txt'), 'bear\n');
    expect((await openVideos(both)).notes).toEqual([]);
    expect((await openVideos(both, { resolution: 'Full-Resolution' })).notes).toEqual([
      'pictures and masks of Full-Resolution in place of 480p',
    ]);
    await expect(openVideos(both, { resolution: '1080p' })).rejects.toThrow(
      /480p, Full-Resolution|Full-Resolution, 480p/,
    );
    await expect(openVideos(both, { split: 'train' })).rejects.toThrow(/no list train; --split is one of val/);
  });

  const at = (path: string) => `480p/bear/${path}`;
  test.each<[string, () => Promise<Files>, RegExp]>([
    [
      'a sequence of the list that is not there',
      async () => ({ ...davis, 'ImageSets/2017/val.txt': 'bear\nlion\n' }),
      /1 of 2 sequences of ImageSets\/2017\/val.txt are not in .*: lion/,
    ],
    [
      'frames that are missing in between',
      async () => without(davis, `JPEGImages/${at('00002.jpg')}`),
      /1 masks .* have no frame in JPEGImages\/480p\/bear: 00002/,
    ],
    [
      'a mask of another size',
      async () => ({ ...davis, [`Annotations/${at('00003.png')}`]: maskPng([0, 1, 1, 0], 2, { colour: 3, depth: 8 }) }),
      /the mask Annotations\/480p\/bear\/00003.png is 2 x 2, its frames 40 x 32/,
    ],
    [
      'masks that are colours',
      async () => ({ ...davis, [`Annotations/${at('00000.png')}`]: await colours() }),
      /is in colour/,
    ],
    [
      'a mask that is no PNG',
      async () => ({ ...davis, [`Annotations/${at('00000.png')}`]: await framePicture(0) }),
      /is no PNG/,
    ],
  ])('%s: refused', async (name, files, message) => {
    await expect(openVideos(await written(`bad ${name}`, await files()))).rejects.toThrow(message);
  });

  test('what cannot be followed or scored is told', async () => {
    const files = {
      ...davis,
      ...below('JPEGImages', { [at('00009.jpg')]: await framePicture(9) }),
      'ImageSets/2017/val.txt': 'bear\npair\nbare\nstill\nempty\nhidden\n',
      'JPEGImages/480p/bare/00000.jpg': await framePicture(0),
      'JPEGImages/480p/bare/00001.jpg': await framePicture(1),
      'JPEGImages/480p/still/00000.jpg': await framePicture(0),
      'JPEGImages/480p/empty/00000.jpg': await framePicture(0),
      'JPEGImages/480p/empty/00001.jpg': await framePicture(1),
      'Annotations/480p/empty/00000.png': frameMask(0, []),
      'JPEGImages/480p/hidden/00000.jpg': await framePicture(0),
      'JPEGImages/480p/hidden/00001.jpg': await framePicture(1),
      'Annotations/480p/hidden/00000.png': frameMask(0),
    };
    const { sequences, notes } = await openVideos(await written('told', files));
    expect(sequences.map(({ name }) => name)).toEqual(['bear', 'pair', 'hidden']);
    expect(notes).toEqual([
      '1 sequences have less than two frames and are left out: still',
      '1 sequences have no mask of their first frame and are left out: bare',
      '1 sequences have no object in the mask of their first frame and are left out: empty',
      '1 sequences have no masks to score against: objects are followed, nothing is scored: hidden',
      '1 sequences have gaps between the numbers of their frames, which are taken as following each other: bear',
    ]);
  });

  test('a frame of another size, or one that is damaged, is refused when it is read', async () => {
    const root = await written('frames', {
      ...davis,
      [`JPEGImages/${at('00001.jpg')}`]: Buffer.from('no picture'),
      [`JPEGImages/${at('00002.jpg')}`]: await small(),
    });
    const [bear] = (await openVideos(root)).sequences;
    await expect(bear!.read(1)).rejects.toThrow(/00001.jpg cannot be read: not an image/);
    await expect(bear!.read(2)).rejects.toThrow(/00002.jpg is 8 x 8, the first frame of bear 40 x 32/);
  });
});

describe('YouTube-VOS', () => {
  /** Object 2 comes in the third frame. */
  const youtube = async (masks: Readonly<Record<number, readonly number[]>>): Promise<Files> => {
    const files: Record<string, string | Buffer> = {};
    for (let frame = 0; frame < 5; frame++) {
      const name = frameName(frame, 5);
      files[`JPEGImages/abc/${name}.jpg`] = await framePicture(frame, [1, 2]);
      if (masks[frame]) files[`Annotations/abc/${name}.png`] = frameMask(frame, masks[frame]);
    }
    const objects = { 1: { category: 'dog', frames: ['00000'] }, 2: { category: 'cat', frames: ['00010'] } };
    return { ...files, 'meta.json': JSON.stringify({ videos: { abc: { objects } } }) };
  };

  test('objects come in the frame that meta.json says; all frames with masks behind it are scored', async () => {
    const all = { 0: [1], 1: [1], 2: [1, 2], 3: [1, 2], 4: [1, 2] };
    const root = await written('youtube', {
      ...below('valid', await youtube(all)),
      ...below('train', await youtube(all)),
    });
    const { sequences, dataset, split, scoring } = await openVideos(root);
    expect([dataset, split, scoring]).toEqual(['youtube', 'valid', 'youtube-vos']);
    expect(sequences[0]!.objects).toEqual([
      { id: 1, first: 0 },
      { id: 2, first: 2 },
    ]);
    expect(scoredObjects(sequences[0]!, scoring)).toEqual([
      { id: 1, frames: [1, 2, 3, 4] },
      { id: 2, frames: [3, 4] },
    ]);
    expect((await openVideos(root, { split: 'train' })).split).toBe('train');
    await expect(openVideos(root, { split: 'test' })).rejects.toThrow(
      /has several parts, train, valid; name one with --split/,
    );
    expect(isVideoData(root)).toBe(true);
  });

  test('where every mask only gives objects nothing is scored; meta.json is not trusted', async () => {
    const given = await youtube({ 0: [1], 2: [0, 2] });
    const { sequences, scoring, notes } = await openVideos(await written('challenge/valid', given));
    expect(scoredObjects(sequences[0]!, scoring)).toEqual([]);
    expect(notes.join()).toMatch(/have no masks to score against/);
    const absent = await openVideos(await written('absent/valid', await youtube({ 0: [1], 2: [1] })));
    expect(absent.sequences[0]!.objects).toEqual([{ id: 1, first: 0 }]);
    expect(absent.notes.join()).toMatch(/1 objects have no pixel in the mask that is to give them/);
    const broken = written('broken/valid', { ...given, 'meta.json': '{"videos": {"abc": {"objects": {"x": 1}}}}' });
    await expect(openVideos(await broken)).rejects.toThrow(/meta.json has no frames of object x of abc/);
  });
});

describe('frames in folders', () => {
  test('with masks in a folder of their own, or beside the frames, of one video or several', async () => {
    const several = await written('own', {
      'frames/a/frame9.jpg': await framePicture(0),
      'frames/a/frame10.jpg': await framePicture(1),
      'frames/a/frame11.jpg': await framePicture(2),
      'masks/a/frame9.png': frameMask(0),
      'masks/a/frame10.png': frameMask(1),
      'frames/b/0.jpg': await framePicture(0),
      'frames/b/0.png': frameMask(0, [7]),
      'frames/b/1.jpg': await framePicture(1),
    });
    const { sequences, split, notes } = await openVideos(several);
    expect(split).toBe('all');
    expect(sequences.map(({ name, frames, objects }) => [name, frames, objects])).toEqual([
      ['a', ['frame9', 'frame10', 'frame11'], [{ id: 1, first: 0 }]],
      ['b', ['0', '1'], [{ id: 7, first: 0 }]],
    ]);
    expect(notes.join()).toMatch(/^1 sequences have no masks to score against.*: b$/);
    const one = { '0.jpg': await framePicture(0), '0.png': frameMask(0), '1.jpg': await framePicture(1) };
    for (const files of [one, below('frames', one)]) {
      const root = await written(`one ${Object.keys(files).length} ${Object.keys(files)[0]!.length}`, files);
      expect((await openVideos(root)).sequences.map(({ frames }) => frames)).toEqual([['0', '1']]);
      expect(isVideoData(root)).toBe(true);
    }
    await expect(openVideos(several, { split: 'val' })).rejects.toThrow(/--split says nothing about frames in folders/);
  });

  test('something else is refused', async () => {
    const root = await written('something', { 'a.txt': 'text', 'b.zip': 'zip' });
    await expect(openVideos(root)).rejects.toThrow(/has no videos; unpack b.zip first, or give DAVIS/);
    expect(isVideoData(root)).toBe(false);
    const voc = await written('voc', {
      'ImageSets/Main/val.txt': 'a',
      'JPEGImages/a.jpg': await framePicture(0),
      'Annotations/a.xml': '<annotation/>',
    });
    await expect(openVideos(voc)).rejects.toThrow(/has no videos; give DAVIS/);
    expect([voc, join(folder, 'davis')].map(isVideoData)).toEqual([false, true]);
    expect(await Promise.all([voc, join(folder, 'davis')].map(isBoxData))).toEqual([true, false]);
  });
});

const small = async (): Promise<Buffer> => {
  const { default: sharp } = await import('sharp');
  return sharp(Buffer.alloc(192), { raw: { width: 8, height: 8, channels: 3 } })
    .jpeg()
    .toBuffer();
};

/** An RGB PNG of two colours. */
const colours = async (): Promise<Buffer> => {
  const { default: sharp } = await import('sharp');
  const rgb = Uint8Array.from(movingIds(0, [1]).flatMap((id) => [128 * id, 0, 0]));
  return sharp(rgb, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
    .png({ palette: false })
    .toBuffer();
};
