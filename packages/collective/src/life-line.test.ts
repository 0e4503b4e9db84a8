import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, test } from 'vitest';
import type { CollectiveError } from './errors';
import { type LifeLine, openLifeLine } from './life-line';
import type { Gather } from './records';

const members = [0, 1, 2].map((pid) => ({ host: 'one', pid }));

/** Life lines of three ranks in this process, what rank 0 told of itself, and what each learns of lost ranks; rank 1 is told that rank 0 is at `port`. */
async function threeLines(port?: number) {
  const records: object[][] = [];
  const waiting: (() => void)[] = [];
  const gatherOf = (rank: number): Gather => {
    let round = 0;
    return async <R extends object>(own: R) => {
      const at = round++;
      records[at] ??= [];
      records[at][rank] = own;
      if (Object.keys(records[at]).length === 3) for (const go of waiting.splice(0)) go();
      else await new Promise<void>((go) => waiting.push(go));
      const told = rank === 1 && at === 0 && port !== undefined;
      return (told ? [{ ...records[at][0], port }] : records[at]) as R[];
    };
  };
  const lost: Promise<CollectiveError>[] = [];
  const lines = await Promise.all(
    members.map((_, rank) => {
      let onLost = (_: CollectiveError): void => {};
      lost.push(new Promise((resolve) => (onLost = resolve)));
      return openLifeLine({ rank, members, silentSeconds: 60, gather: gatherOf(rank), onLost });
    }),
  );
  return { lines, lost, place: records[0]![0] as { port: number } };
}

const end = (lines: readonly LifeLine[]): void => {
  for (const line of lines) line.end();
};

test('all ranks are connected, and ranks that leave in peace are not missed', async () => {
  const { lines, lost } = await threeLines();
  for (const { unconnected } of lines) expect(unconnected).toEqual([]);
  end(lines);
  const quiet = new Promise((resolve) => setTimeout(resolve, 100, 'quiet'));
  expect(await Promise.race([...lost, quiet])).toBe('quiet');
});

test('a stranger without the token, or with nonsense, is no rank', async () => {
  const { lines, lost, place } = await threeLines();
  for (const text of ['{"rank":1,"token":"guess"}\n', 'GET / HTTP/1.1\n', 'x'.repeat(5000), 'null\n']) {
    const stranger = connect(place.port, '127.0.0.1');
    stranger.on('error', () => {});
    stranger.write(text);
    await new Promise((resolve) => stranger.once('close', resolve));
  }
  expect(await Promise.race([...lost, Promise.resolve('quiet')])).toBe('quiet');
  end(lines);
});

test('somebody else at the address of rank 0 is not taken for it', async () => {
  const stranger = createServer((socket) => socket.end('220 ready\n')).listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  const { lines, lost } = await threeLines((stranger.address() as AddressInfo).port);
  for (const { unconnected } of lines) expect(unconnected).toEqual([1]);
  expect(await Promise.race([...lost, Promise.resolve('quiet')])).toBe('quiet');
  end(lines);
  stranger.close();
});
