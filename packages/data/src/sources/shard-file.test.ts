import { describe, expect, it } from 'vitest';
import { type WrittenMember, writeTar } from '../../test/archives';
import { bytesInMemory } from '../files/byte-file';
import { bytesOfSummary, decodeIndex, decodeSummary, encodeIndex } from './shard-file';
import { nameAt, type ShardIndex } from './shard-index';
import { indexShard } from './tar-shard';

const MEMBERS: readonly WrittenMember[] = [
  { name: 'cat/0.jpg', body: 'zero' },
  { name: 'cat/0.cls', body: '7' },
  { name: 'cat/0.seg.png', body: 'mask' },
  { name: 'dög/1.jpg', body: 'one' },
  { name: 'dög/1.heic', body: 'x' },
  { name: '2.txt', body: 'no image' },
];
const indexOf = (members = MEMBERS): Promise<ShardIndex> => indexShard(bytesInMemory('s.tar', writeTar(members), '1'));
const OF = { size: writeTar(MEMBERS).length, version: '1' };
const written = async (): Promise<Uint8Array<ArrayBuffer>> => new Uint8Array(encodeIndex(await indexOf(), OF));

describe('the file of an index', () => {
  it('gives back the same index', async () => {
    const index = await indexOf();
    const read = decodeIndex(await written(), OF)!;
    expect(JSON.parse(JSON.stringify(read.summary))).toEqual(JSON.parse(JSON.stringify(index.summary)));
    expect(read.columns).toEqual(index.columns);
    expect([0, 1, 2].map((picture) => nameAt(read.columns, picture))).toEqual([
      'cat/0.jpg',
      'cat/0.seg.png',
      'dög/1.jpg',
    ]);
  });

  it('says how many images there are by either counting, with which labels, without a look at the columns', async () => {
    const bytes = await written();
    const summary = decodeSummary(bytes.subarray(0, bytesOfSummary(bytes, bytes.length)), bytes.length, OF)!;
    expect(summary.images).toEqual({ files: 3, samples: 2 });
    expect(summary.labels).toEqual([{ value: '7', files: 2, samples: 1 }]);
    expect(summary.folders).toEqual([
      { value: 'cat/', files: 2, samples: 1 },
      { value: 'dög/', files: 1, samples: 1 },
    ]);
    expect(summary.leftOut).toMatchObject({
      imageless: { count: 1, example: '2.txt' },
      unusable: { count: 1, example: 'dög/1.heic' },
    });
  });

  it('has nothing of the texts of samples', async () => {
    const plain = ['0', '1'].map((key) => ({ name: `${key}.jpg`, body: 'x' }));
    const texts = ['0', '1'].flatMap((key) =>
      ['json', 'txt'].map((ending) => ({ name: `${key}.${ending}`, body: 'y' })),
    );
    const index = await indexOf([...plain, ...texts]);
    expect(index.columns.names).toHaveLength('0.jpg1.jpg'.length);
    expect(Object.values(index.summary.leftOut).filter((found) => found)).toEqual([]);
  });

  it('counts as absent with any damaged byte, cut short, longer, or of another content', async () => {
    const bytes = await written();
    for (let at = 0; at < bytes.length; at++) {
      const damaged = bytes.slice();
      damaged[at]! ^= 0x21;
      // four bytes of the head are of no use yet, and hashed like the others
      expect(decodeIndex(damaged, OF), `byte ${at}`).toBeUndefined();
    }
    for (const length of [0, 7, 63, 64, bytes.length - 1])
      expect(decodeIndex(bytes.slice(0, length), OF)).toBeUndefined();
    expect(decodeIndex(new Uint8Array([...bytes, 0]), OF)).toBeUndefined();
    expect(decodeIndex(bytes, { ...OF, version: '2' })).toBeUndefined();
    expect(decodeIndex(bytes, { ...OF, size: 7 })).toBeUndefined();
  });

  it('allocates nothing by a forged length', async () => {
    const bytes = await written();
    for (const at of [8, 12, 16, 20, 24]) {
      const forged = bytes.slice();
      new DataView(forged.buffer).setUint32(at, 0xfffffff0, true);
      expect(decodeIndex(forged, OF)).toBeUndefined();
      expect(bytesOfSummary(forged, forged.length)).toBeUndefined();
    }
  });

  it('counts as absent where a forger made the hashes fit and places lie outside', async () => {
    const { summary, columns } = await indexOf();
    const forgeries: Partial<ShardIndex['columns']>[] = [
      { blocks: columns.blocks.map((block) => block + 1000) },
      { sizes: columns.sizes.map(() => 0xffffffff) },
      { nameEnds: columns.nameEnds.toReversed() },
      { nameEnds: columns.nameEnds.map((end) => end + 1) },
      { labels: columns.labels!.map(() => 1) },
      { folders: columns.folders!.map(() => 2) },
      { samples: columns.samples!.map(() => 3) },
      { blocks: columns.blocks.subarray(1) },
    ];
    for (const forged of forgeries) {
      const bytes = encodeIndex({ summary, columns: { ...columns, ...forged } }, OF);
      expect(decodeIndex(new Uint8Array(bytes), OF), Object.keys(forged).join()).toBeUndefined();
    }
    const counts = [
      { images: { files: 3, samples: 4 } },
      { images: { files: -1, samples: 2 } },
      { names: 5 },
      { folders: [{ value: 5 }] },
    ];
    for (const forged of counts) {
      const bytes = encodeIndex({ summary: { ...summary, ...forged } as never, columns }, OF);
      expect(decodeIndex(new Uint8Array(bytes), OF), JSON.stringify(forged)).toBeUndefined();
    }
  });
});
