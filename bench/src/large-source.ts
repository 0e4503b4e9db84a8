/**
 * npm run large-source --workspace bench [-- --images 100000000] [--per-shard 10000] [--classes 0] [--in <folder>]
 *
 * A source of 10^8 images as a start of training meets it: shards that were indexed before. The shards are sparse files, which take no room; their
 * indices (25 bytes an image) are written by the package's own writer, with names as `img2dataset` gives them. What is measured runs in a process of
 * its own: it opens the data by their name with a part held out, records which pictures they are, and draws samples in the order of training, each with
 * key, version and label. Then one real shard of 10,000 small pictures with their texts is indexed from scratch.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { recordData } from '../../apps/train/src/run/data-record';
import {
  createSampler,
  type ImageSource,
  openLocalFile,
  openSplits,
  webDatasetSource,
} from '../../packages/data/src/index';
import { indexPlaces, keepIndex } from '../../packages/data/src/sources/kept-index';
import { hashOfNames, type ShardIndex } from '../../packages/data/src/sources/shard-index';

const { values: options } = parseArgs({
  options: {
    images: { type: 'string', default: '100000000' },
    'per-shard': { type: 'string', default: '10000' },
    classes: { type: 'string', default: '0' },
    in: { type: 'string', default: tmpdir() },
    measure: { type: 'string' },
  },
});
const DRAWN = 10_000;
const CLASSES = Number(options.classes);
/** A picture of 256 x 256 with its text and JSON: what it takes of a shard beside its own bytes. */
const BESIDE = 5 * 512;

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(2)} s`;
const processor = (since: NodeJS.CpuUsage): string => {
  const { user, system } = process.cpuUsage(since);
  return `${((user + system) / 1e6).toFixed(2)} s of a processor`;
};
const peak = (): string => `${Math.round(process.resourceUsage().maxRSS / 1024)} MiB`;

if (options.measure) await measure(options.measure);
else await main(Number(options.images), Number(options['per-shard']), options.in);

async function main(images: number, perShard: number, place: string): Promise<void> {
  const folder = mkdtempSync(join(place, 'large-source-'));
  try {
    const began = performance.now();
    await writeShards(folder, Math.ceil(images / perShard), perShard);
    console.log(`${images} images in ${Math.ceil(images / perShard)} shards, indices written in ${seconds(began)}`);
    const { status } = spawnSync(
      process.execPath,
      [...process.execArgv, fileURLToPath(import.meta.url), '--measure', join(folder, 'shards')],
      { stdio: 'inherit', env: { ...process.env, XDG_CACHE_HOME: join(folder, 'cache') } },
    );
    if (status !== 0) throw new Error(`the measured process ended with ${status}`);
    orderOfMany();
    await indexRealShard(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function writeShards(folder: string, shards: number, perShard: number): Promise<void> {
  mkdirSync(join(folder, 'shards'));
  const cacheDir = join(folder, 'cache', 'franca');
  for (let shard = 0; shard < shards; shard++) {
    const file = join(folder, 'shards', `${String(shard).padStart(5, '0')}.tar`);
    const { index, bytes } = madeIndex(shard, perShard);
    writeFileSync(file, '');
    truncateSync(file, bytes);
    const opened = await openLocalFile(file);
    if (!(await keepIndex(index, opened, indexPlaces(opened, { cacheDir }).write))) throw new Error('no room');
  }
}

/** An index as one of a shard of `img2dataset`, whose pictures have 20 to 40 KB. */
function madeIndex(shard: number, count: number): { index: ShardIndex; bytes: number } {
  const [blocks, sizes, nameEnds] = [new Uint32Array(count), new Uint32Array(count), new Uint32Array(count)];
  const names: string[] = [];
  let block = 1;
  for (let at = 0; at < count; at++) {
    sizes[at] = 20_000 + ((at * 7919 + shard * 104_729) % 20_000);
    blocks[at] = block;
    block += Math.ceil((sizes[at]! + BESIDE) / 512) + 1;
    names.push(`${String(shard).padStart(5, '0')}${String(at).padStart(4, '0')}.jpg`);
    nameEnds[at] = (nameEnds[at - 1] ?? 0) + names[at]!.length;
  }
  const labels = CLASSES > 0 ? Uint32Array.from(sizes, (_, at) => at % CLASSES) : undefined;
  const columns = { blocks, sizes, nameEnds, labels, names: Buffer.from(names.join('')) };
  const perClass = { files: count / CLASSES, samples: count / CLASSES };
  const unlabelled = labels ? undefined : { count, example: names[0]! };
  const summary = {
    images: { files: count, samples: count },
    crowded: { keys: 0, plain: 0, clashing: 0, extensions: [] },
    unlabelled: { files: unlabelled, samples: unlabelled },
    leftOut: {},
    labels: Array.from({ length: CLASSES }, (_, value) => ({ value: String(value), ...perClass })),
    folders: [{ value: '', files: count, samples: count }],
    names: hashOfNames(columns),
  };
  return { index: { summary, columns }, bytes: block * 512 };
}

async function measure(folder: string): Promise<void> {
  const atStart = peak();
  let since = performance.now();
  let before = process.cpuUsage();
  const splits = await openSplits(`tar:${folder}`, { heldOut: { share: 0.01 }, test: false });
  const { train, val } = splits;
  console.log(
    `opened in ${seconds(since)}, ${processor(before)}: ${train.length} and ${val.length} images, ${train.classes?.length ?? 'no'} classes; peak ${peak()}, ${atStart} before`,
  );
  since = performance.now();
  before = process.cpuUsage();
  recordData(folder, splits);
  console.log(`recorded which they are in ${seconds(since)}, ${processor(before)}; peak ${peak()}`);
  since = performance.now();
  const { length, runs, window, fingerprint } = train;
  const sampler = createSampler({ length, seed: 0, runs, window, data: fingerprint });
  sampler.draw(0);
  console.log(`order of a pass in ${seconds(since)}`);
  for (const from of [0, DRAWN, length >> 1]) {
    since = performance.now();
    const shards = await look(train, sampler.draw, from);
    const rate = Math.round((1000 * DRAWN) / (performance.now() - since));
    console.log(`draws ${from} to ${from + DRAWN} of ${shards} shards: ${rate} a second; peak ${peak()}`);
  }
  await splits.close();
}

/** Draws, and asks for all that is known of each. */
async function look(source: ImageSource, draw: (ordinal: number) => { index: number }, from: number): Promise<number> {
  const shards = new Set<string>();
  for (let ordinal = from; ordinal < from + DRAWN; ordinal++) {
    const { index } = draw(ordinal);
    shards.add(source.key(index).split('/')[0]!);
    await source.version(index);
    source.label?.(index);
  }
  return shards.size;
}

/** The sampler alone at the size of LAION-600M. */
function orderOfMany(): void {
  const since = performance.now();
  const runs = new Array<number>(60_000).fill(10_000);
  const sampler = createSampler({ length: 600_000_000, seed: 0, runs, window: 2 ** 21 });
  sampler.draw(0);
  console.log(`order of a pass over 60000 shards of 10000: ${seconds(since)}`);
  const began = performance.now();
  for (let ordinal = 0; ordinal < 100_000; ordinal++) sampler.draw(ordinal);
  console.log(`100000 draws: ${seconds(began)}`);
}

async function indexRealShard(folder: string): Promise<void> {
  const file = join(folder, 'real.tar');
  const noise = { type: 'gaussian', mean: 128, sigma: 30 } as const;
  const blank = { width: 256, height: 192, channels: 3, background: 'gray', noise } as const;
  const picture = await sharp({ create: blank }).jpeg({ quality: 60 }).toBuffer();
  const about = Buffer.from(
    JSON.stringify({ url: `https://example.org/${'x'.repeat(100)}`, caption: 'c'.repeat(400) }),
  );
  const members = Array.from({ length: 10_000 }, (_, at) => {
    const key = String(at).padStart(9, '0');
    return [
      member(`${key}.jpg`, picture),
      member(`${key}.json`, about),
      member(`${key}.txt`, Buffer.from('a caption')),
    ];
  });
  writeFileSync(file, Buffer.concat([...members.flat(2), Buffer.alloc(1024)]));
  for (let round = 0; round < 3; round++) {
    const [since, before] = [performance.now(), process.cpuUsage()];
    const { length } = await webDatasetSource([file]);
    console.log(
      `a shard of ${length} pictures of ${picture.length} bytes is indexed in ${seconds(since)}, ${processor(before)}`,
    );
  }
}

/** A file in a tar: header, bytes, filling. */
function member(name: string, body: Buffer): Buffer[] {
  const head = Buffer.alloc(512);
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');
  head.write(name, 'latin1');
  head.write(
    `0000644\0${'0000000\0'.repeat(2)}${octal(body.length, 11)}\0${'0'.repeat(11)}\0${' '.repeat(8)}0`,
    100,
    'latin1',
  );
  head.write('ustar\u000000', 257, 'latin1');
  const sum = head.reduce((a, b) => a + b, 0);
  head.write(`${octal(sum, 6)}\0 `, 148, 'latin1');
  return [head, body, Buffer.alloc((512 - (body.length % 512)) % 512)];
}
