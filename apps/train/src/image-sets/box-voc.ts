/**
 * PASCAL VOC as it unpacks: `VOCdevkit/VOC2007` and `VOC2012` with JPEGImages, Annotations and ImageSets/Main, or one of these folders by itself.
 *
 * A picture's XML lists its objects with boxes of whole pixels counted from 1, both ends included. As in LOST and TokenCut xmin and ymin become one less, so
 * that boxes are half-open from 0, and truncated and difficult objects count unless they are left out.
 */
import { type FileTree, prefetch, subtree } from '@franca/data';
import type { Box } from '@franca/evals';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { TrainError } from '../errors';
import { type BoxedPicture, type BoxLayout, type BoxOptions, stemOf } from './box-layout';
import { some } from './judge-masks';

const MAX_XML_BYTES = 2 ** 22;
/** Folders deep that a devkit may lie: `datasets/VOC2007/VOCdevkit/VOC2007`. */
const MAX_DEPTH = 4;

/** Folders of a tree that hold pictures and annotations of VOC's form. */
export function vocRoots(tree: FileTree): string[] {
  const roots: string[] = [];
  const visit = (folder: string, depth: number): void => {
    const names = tree.names(folder);
    if (names.includes('Annotations') && names.includes('JPEGImages')) roots.push(folder);
    else if (depth < MAX_DEPTH) for (const name of names) visit(folder === '' ? name : `${folder}/${name}`, depth + 1);
  };
  visit('', 0);
  return roots;
}

/**
 * Boxes of one year and part.
 * @throws TrainError `usage` where it is open which year is meant; `data` where the part has no list
 */
export async function readVoc(whole: FileTree, roots: readonly string[], options: BoxOptions): Promise<BoxLayout> {
  const root = chooseRoot(whole, roots, options.year);
  const tree = subtree(whole, root);
  const { part = 'trainval', hard = true } = options;
  const { ids, notes } = await readPart(tree, part);
  const pictures = new Map(tree.names('JPEGImages').map((name) => [stemOf(name), name]));
  const [found, unusable]: [BoxedPicture[], string[]] = [[], []];
  const counts = { hard: 0, fractions: 0, renamed: [] as string[] };
  for await (const { id, text } of prefetch(ids, (each) => readXml(tree, each), { inFlight: 16 })) {
    const parsed = typeof text === 'string' ? parseVocXml(text) : text;
    if ('damage' in parsed) {
      unusable.push(`${id}.xml (${parsed.damage})`);
      continue;
    }
    const kept = parsed.objects.filter((object) => hard || !object.hard);
    counts.hard += parsed.objects.length - kept.length;
    counts.fractions += kept.filter(({ fractional }) => fractional).length;
    if (parsed.filename !== undefined && stemOf(parsed.filename) !== id) counts.renamed.push(`${id}.xml`);
    const file = pictures.get(id);
    const boxes = kept.map(({ box }) => box);
    const path = file && (root === '' ? `JPEGImages/${file}` : `${root}/JPEGImages/${file}`);
    found.push({ key: file ?? id, path, boxes, ...(parsed.size && { size: parsed.size }) });
  }
  const year = yearOf(root === '' ? whole.name : root);
  return {
    ...(year !== undefined && { dataset: `voc-${year}` }),
    split: part,
    pictures: found,
    unusable,
    notes: [
      ...notes,
      ...(hard ? [] : [`${counts.hard} truncated or difficult objects are left out`]),
      ...(counts.fractions > 0 ? [`${counts.fractions} boxes have fractions of pixels, which are cut off`] : []),
      ...(counts.renamed.length > 0
        ? [`${counts.renamed.length} annotations name another picture than their own file: ${some(counts.renamed)}`]
        : []),
    ],
  };
}

const yearOf = (folder: string): number | undefined => {
  const digits = /VOC(20\d\d)\/*$/.exec(folder)?.[1];
  return digits === undefined ? undefined : Number(digits);
};

function chooseRoot(tree: FileTree, roots: readonly string[], year: number | undefined): string {
  const named = (root: string): string => (root === '' ? tree.name : root);
  const fitting = year === undefined ? roots : roots.filter((root) => yearOf(named(root)) === year);
  if (fitting.length === 1) return fitting[0]!;
  const there = roots.map(named).join(', ');
  throw new TrainError(
    'usage',
    fitting.length === 0
      ? `${tree.name} has no VOC${year}: there is ${there}`
      : `${tree.name} holds ${there}; say which is meant with --year, or give its folder`,
  );
}

/** Names of a part, each once. */
async function readPart(tree: FileTree, part: string): Promise<{ ids: string[]; notes: string[] }> {
  const file = `ImageSets/Main/${part}.txt`;
  if (!tree.has(file)) {
    const others = tree.names('ImageSets/Main').filter((name) => name.endsWith('.txt'));
    throw new TrainError(
      'data',
      `${tree.name} has no ${file}, which names the pictures of this part, one a line; ` +
        (others.length > 0 ? `there is ${some(others)}: name another part with --part` : 'write one'),
    );
  }
  const lines = Buffer.from(await tree.read(file))
    .toString()
    .split(/\r?\n/)
    .map((line) => line.trim().split(/\s+/))
    // lists of one class have a second column, -1 where it does not occur
    .filter(([id, occurs]) => id !== '' && occurs !== '-1');
  const ids = [...new Set(lines.map(([id]) => id!))];
  if (ids.length === 0) throw new TrainError('data', `${tree.name}/${file} names no picture`);
  const again = lines.length - ids.length;
  return { ids, notes: again > 0 ? [`${again} names come again in ${file} and count once`] : [] };
}

async function readXml(tree: FileTree, id: string): Promise<{ id: string; text: string | { damage: string } }> {
  const path = `Annotations/${id}.xml`;
  if (!tree.has(path)) return { id, text: { damage: 'missing' } };
  const file = await tree.open(path);
  if (file.size > MAX_XML_BYTES) return { id, text: { damage: `${file.size} bytes` } };
  return { id, text: Buffer.from(await file.read(0, file.size)).toString() };
}

interface VocObject {
  readonly box: Box;
  readonly hard: boolean;
  /** Whether a coordinate was no whole number. */
  readonly fractional: boolean;
}

type VocAnnotation =
  | { readonly damage: string }
  | {
      readonly filename: string | undefined;
      readonly size: { readonly width: number; readonly height: number } | undefined;
      readonly objects: readonly VocObject[];
    };

// untrusted: entities are not resolved, and numbers are read where they are expected
const parser = new XMLParser({
  ignoreAttributes: true,
  parseTagValue: false,
  processEntities: false,
  isArray: (name) => name === 'object',
});

/** One annotation file; `damage` says in words why it is none. */
function parseVocXml(text: string): VocAnnotation {
  const valid = XMLValidator.validate(text);
  if (valid !== true) return { damage: `no XML: ${valid.err.msg}` };
  const annotation = asRecord(asRecord(parser.parse(text))?.annotation);
  if (!annotation) return { damage: 'no annotation of PASCAL VOC' };
  const objects: VocObject[] = [];
  for (const each of (annotation.object ?? []) as readonly unknown[]) {
    const object = asRecord(each);
    const corners = asRecord(object?.bndbox);
    const numbers = ['xmin', 'ymin', 'xmax', 'ymax'].map((name) => numberOf(corners?.[name]));
    if (!object || numbers.includes(undefined)) return { damage: `object ${objects.length + 1} has no box` };
    const [xmin, ymin, xmax, ymax] = numbers.map((value) => Math.trunc(value!)) as [number, number, number, number];
    objects.push({
      box: [xmin - 1, ymin - 1, xmax, ymax],
      hard: object.truncated === '1' || object.difficult === '1',
      fractional: !numbers.every(Number.isInteger),
    });
  }
  const stated = asRecord(annotation.size);
  const [width, height] = [numberOf(stated?.width), numberOf(stated?.height)];
  return {
    filename: typeof annotation.filename === 'string' ? annotation.filename : undefined,
    size: width && height ? { width, height } : undefined,
    objects,
  };
}

const asRecord = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;

function numberOf(value: unknown): number | undefined {
  if (typeof value !== 'string' || value.trim() === '') return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}
