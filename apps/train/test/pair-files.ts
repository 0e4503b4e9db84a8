/** A SPair-71k of a few small pictures, with the real structure, for tests. */
import type { Files } from './file-trees';
import { pictureOf } from './mask-files';

/** 12 x 8 pixels, another one for every number. */
const picture = (number: number): Promise<Buffer> =>
  pictureOf(
    Array.from({ length: 96 }, (_, i) => (7 * i * (number + 1)) % 200),
    12,
    number,
  );

/** A cat's points 0 to 2 and another one's 1 to 3. */
const CATS = {
  a: { '0': [1, 2], '1': [10, 3], '2': [4, 7], '3': null },
  b: { '0': null, '1': [2, 2], '2': [9, 5], '3': [0, 0] },
} as const;

const annotation = (kps: object): string =>
  JSON.stringify({ image_width: 12, image_height: 8, bndbox: [0, 0, 12, 8], kps });

export interface PairAnnotation {
  readonly source: string;
  readonly target: string;
  readonly category: string;
  readonly viewpoint: number;
}

/** File name and content of a pair, with the fields that SPair-71k has. */
export function pairAnnotation(
  number: number,
  pair: PairAnnotation,
  change: object = {},
): [name: string, body: string] {
  const { source, target, category, viewpoint } = pair;
  const name = `${String(number).padStart(6, '0')}-${source}-${target}:${category}`;
  const body = {
    filename: name,
    src_imname: `${source}.jpg`,
    trg_imname: `${target}.jpg`,
    src_imsize: [12, 8, 3],
    trg_imsize: [12, 8, 3],
    src_bndbox: [0, 0, 12, 8],
    trg_bndbox: [1, 1, 11, 7],
    category,
    viewpoint_variation: viewpoint,
    ...change,
  };
  return [`PairAnnotation/test/${name}.json`, JSON.stringify(body)];
}

/** Two cats and two cows: a to b, b to a, and c to d, whose cows have one point in common. */
export async function spairFiles(): Promise<Files> {
  const pictures = await Promise.all([0, 1, 2, 3].map(picture));
  const [a, b, c, d] = pictures as [Buffer, Buffer, Buffer, Buffer];
  return {
    'JPEGImages/cat/a.jpg': a,
    'JPEGImages/cat/b.jpg': b,
    'JPEGImages/cow/c.jpg': c,
    'JPEGImages/cow/d.jpg': d,
    'ImageAnnotation/cat/a.json': annotation(CATS.a),
    'ImageAnnotation/cat/b.json': annotation(CATS.b),
    'ImageAnnotation/cow/c.json': annotation({ '0': [5, 5] }),
    'ImageAnnotation/cow/d.json': annotation({ '0': [6, 1], '1': [3, 3] }),
    'Layout/large/test.txt': '',
    ...Object.fromEntries([
      pairAnnotation(2, { source: 'b', target: 'a', category: 'cat', viewpoint: 2 }),
      pairAnnotation(1, { source: 'a', target: 'b', category: 'cat', viewpoint: 0 }),
      pairAnnotation(3, { source: 'c', target: 'd', category: 'cow', viewpoint: 0 }),
    ]),
  };
}
