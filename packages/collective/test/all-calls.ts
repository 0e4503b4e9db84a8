/** A rank: makes every call with values that round, compares with sums in the order of the ranks, and prints a hash of all that it received. */
import { createHash } from 'node:crypto';
import { type Numbers, openCommunicator, type Reduction } from '../src/index';

await using ranks = await openCommunicator({ version: 'all calls', openSeconds: 30 });
const { rank, size } = ranks;
const hash = createHash('sha256');

/** Values of a rank: floats of many magnitudes, or whole numbers. */
const valuesOf = (of: number, n: number, Type: new (n: number) => Numbers): Numbers => {
  const values = new Type(n);
  for (let i = 0; i < n; i++)
    values[i] =
      Type.name === 'Float32Array' || Type.name === 'Float64Array'
        ? Math.sin(1 + 7 * of + i * 0.37) * 10 ** ((i + of) % 7)
        : (i * 31 + of * 17) % 90;
  return values;
};

function reduced(n: number, Type: new (n: number) => Numbers, how: Reduction): Numbers {
  const result = valuesOf(0, n, Type);
  const all = Array.from({ length: size }, (_, of) => valuesOf(of, n, Type));
  for (let i = 0; i < n; i++) {
    if (how === 'logSumExp') {
      const top = Math.max(...all.map((own) => own[i]!));
      const at = all.findIndex((own) => own[i] === top);
      result[i] = top + Math.log1p(all.reduce((sum, own, of) => (of === at ? sum : sum + Math.exp(own[i]! - top)), 0));
    } else
      for (const own of all.slice(1)) result[i] = how === 'sum' ? result[i]! + own[i]! : Math.max(result[i]!, own[i]!);
  }
  return result;
}

function same(what: string, found: Numbers, expected: Numbers): void {
  const bytes = (values: Numbers) => Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  if (!bytes(found).equals(bytes(expected)))
    throw new Error(`${what}: ${found.slice(0, 4)} instead of ${expected.slice(0, 4)}`);
  hash.update(bytes(found));
}

const types = [Float32Array, Float64Array, Int32Array, Uint32Array, Uint8Array] as const;
for (const Type of types)
  for (const n of [0, 1, 47, 9001]) {
    const own = valuesOf(rank, n, Type);
    for (const how of Type === Float32Array || Type === Float64Array
      ? (['sum', 'max', 'logSumExp'] as const)
      : (['sum', 'max'] as const)) {
      const into = new Type(n);
      await ranks.allReduce<Numbers>(own, into, how);
      const expected = reduced(n, Type, how);
      same(`allReduce ${how} of ${Type.name} [${n}]`, into, expected);
      await ranks.allReduce<Numbers>(own, own, how);
      same(`in place ${how} of ${Type.name} [${n}]`, own, expected);
      own.set(valuesOf(rank, n, Type));
      const share = new Type(n);
      await ranks.reduceScatter<Numbers>(valuesOf(rank, n * size, Type), share, how);
      same(`reduceScatter ${how}`, share, reduced(n * size, Type, how).slice(rank * n, (rank + 1) * n));
    }
    const gathered = new Type(n * size);
    await ranks.allGather<Numbers>(own, gathered);
    for (let of = 0; of < size; of++) same('allGather', gathered.slice(of * n, (of + 1) * n), valuesOf(of, n, Type));
    const inPlace = new Type(n * size);
    inPlace.set(own, rank * n);
    await ranks.allGather<Numbers>(inPlace.subarray(rank * n, (rank + 1) * n), inPlace);
    same('allGather in place', inPlace, gathered);
    await ranks.broadcast(own, size - 1);
    same('broadcast', own, valuesOf(size - 1, n, Type));
  }

// the event loop goes on while millions of values are summed
const large = Float32Array.from({ length: 2e6 }, (_, i) => Math.sin(i + rank));
let ticks = 0;
const timer = setInterval(() => ticks++, 1);
await Promise.all([ranks.allReduce(large, large), ranks.barrier()]);
clearInterval(timer);
const one = Math.fround(
  Array.from({ length: size }, (_, of) => Math.fround(Math.sin(1e6 + of))).reduce((a, b) => Math.fround(a + b)),
);
if (large[1e6] !== one) throw new Error(`${large[1e6]} instead of ${one}`);

// more values than go at once
const bytes = new Uint8Array(2 ** 24 + 1000).fill(rank + 1);
await ranks.allReduce(bytes, bytes);
same('a sum in pieces', bytes, new Uint8Array(bytes.length).fill((size * (size + 1)) / 2));
await ranks.broadcast(bytes.fill(rank), size - 1);
same('a broadcast in pieces', bytes, new Uint8Array(bytes.length).fill(size - 1));

const lines = new Uint8Array(size * 64);
await ranks.allGather(new Uint8Array(Buffer.from(hash.digest('hex'))), lines);
console.log(
  `rank ${rank} of ${size}: right, ${ticks > 0 ? 'alive' : 'asleep'}, ${Buffer.from(lines)
    .toString()
    .slice(rank * 64, rank * 64 + 12)}`,
);
