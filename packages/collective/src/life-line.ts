/**
 * Notices that a rank is gone. MPI has no notion of it: the others wait in their exchange for ever, unless the launcher happens to end them. So every rank holds
 * one connection to rank 0, over which no value ever goes. A process that dies closes it at once, by which rank 0, or where rank 0 died everyone, knows; a
 * host that is lost, or a process that is stopped, says nothing for `silentSeconds`. Rank 0 tells the others who it was.
 *
 *   a line each way:   {"rank", "token"}  hello      {"welcome"}  its answer      {}  still here      {"bye"}  closing in peace      {"lost", "how"}  this rank is gone
 */
import { randomBytes } from 'node:crypto';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Member } from './communicator';
import { CollectiveError } from './errors';
import type { Gather } from './records';
import { rankName } from './versions';

const PING_MS = 5000;
const CONNECT_MS = 5000;
const LOOPBACK = '127.0.0.1';
/** Longer than any line of ours: whoever sends more is somebody else. */
const MOST_CHARACTERS = 4096;
/** What a record has room for. */
const MOST_ADDRESSES = 16;

export interface LifeLineOptions {
  readonly rank: number;
  readonly members: readonly Member[];
  readonly silentSeconds: number;
  readonly gather: Gather;
  /** Called once, with who is gone and how that is known. */
  onLost(reason: CollectiveError): void;
}

export interface LifeLine {
  /** Ranks that could not connect: where they die is not noticed. */
  readonly unconnected: readonly number[];
  /** Says goodbye: from here on nobody is missed. */
  end(): void;
}

/** What rank 0 tells of where it listens. */
interface Place {
  readonly port: number;
  readonly addresses: readonly string[];
  readonly token: string;
}

interface Line {
  readonly rank?: number;
  readonly token?: string;
  readonly welcome?: true;
  readonly bye?: true;
  readonly lost?: number;
  readonly how?: string;
}

/** A connection to a rank, and when it was last heard of. */
interface Peer {
  readonly rank: number;
  readonly socket: Socket;
  heard: number;
}

/** Connects the ranks; all call it. */
export async function openLifeLine({
  rank,
  members,
  silentSeconds,
  gather,
  onLost,
}: LifeLineOptions): Promise<LifeLine> {
  const peers = new Map<number, Peer>();
  let ended = false;
  const say = ({ socket }: Peer, line: Line): void => void socket.write(`${JSON.stringify(line)}\n`);
  const lose = (lost: number, how: string): void => {
    if (ended) return;
    ended = true;
    if (rank === 0) for (const peer of peers.values()) say(peer, { lost, how });
    onLost(new CollectiveError('rank', `${rankName(lost, members[lost]!)} is gone: ${how}`));
  };
  const hold = (other: number, socket: Socket): Peer => {
    const peer = { rank: other, socket, heard: performance.now() };
    peers.set(other, peer);
    socket.unref();
    socket.on('close', () => peers.get(other) === peer && lose(other, 'its connection closed'));
    return peer;
  };
  const hear = (peer: Peer, { bye, lost, how }: Line): void => {
    peer.heard = performance.now();
    if (bye) peers.delete(peer.rank);
    else if (lost !== undefined && members[lost]) lose(lost, how ?? 'no reason was given');
  };

  const token = randomBytes(16).toString('hex');
  const oneHost = members.every(({ host }) => host === members[0]!.host);
  const guests = { size: members.length, host: oneHost ? LOOPBACK : undefined, hold, hear, say };
  const server = rank === 0 && members.length > 1 ? await listen(token, guests) : undefined;
  const [place] = await gather<Place | object>(
    server ? { port: portOf(server), addresses: oneHost ? [] : ownAddresses(), token } : {},
  );
  const near = members[0]!.host === members[rank]!.host ? [LOOPBACK] : [];
  const connected = rank === 0 || (await reach(place as Place, near, { rank, hold, hear }));
  const reached = await gather({ connected });
  const stopWatching = watch(peers, silentSeconds, { say, lose });
  return {
    unconnected: reached.flatMap((one, other) => (one.connected ? [] : [other])),
    end() {
      ended = true;
      stopWatching();
      for (const peer of peers.values()) {
        say(peer, { bye: true });
        peer.socket.end();
      }
      server?.close();
    },
  };
}

/** Where other hosts may find this one, IPv4 first; link-local addresses mean nothing without a device. */
const ownAddresses = (): string[] =>
  Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80'))
    .sort((a, b) => a.family.localeCompare(b.family))
    .map(({ address }) => address)
    .slice(0, MOST_ADDRESSES);

const portOf = (server: Server): number => (server.address() as { port: number }).port;

/** What becomes of a connection. */
interface Doings {
  hold(rank: number, socket: Socket): Peer;
  hear(peer: Peer, line: Line): void;
}

/** Rank 0 listens, where all are on one host to that alone; a connection counts once it has said the token, which only ranks know. */
function listen(
  token: string,
  {
    size,
    host,
    hold,
    hear,
    say,
  }: Doings & { size: number; host: string | undefined; say(peer: Peer, line: Line): void },
): Promise<Server> {
  const server = createServer((socket) => {
    let peer: Peer | undefined;
    socket.unref();
    socket.on('error', () => socket.destroy());
    onLines(socket, (line) => {
      const { rank: other = -1 } = line;
      if (peer) hear(peer, line);
      else if (line.token === token && Number.isInteger(other) && other > 0 && other < size) {
        peer = hold(other, socket);
        say(peer, { welcome: true });
      } else socket.destroy();
    });
  });
  server.unref();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, () => resolve(server));
  });
}

/** Whether rank 0 was found, at the first of its addresses where it is rank 0 that answers: hosts may have addresses in common, such as those of bridges. */
async function reach(
  { port, addresses, token }: Place,
  near: readonly string[],
  { rank, ...doings }: Doings & { rank: number },
): Promise<boolean> {
  const candidates = [...near, ...addresses];
  const each = CONNECT_MS / Math.max(candidates.length, 1);
  for (const host of candidates)
    if (await attempt({ host, port, hello: { rank, token }, milliseconds: each }, doings)) return true;
  return false;
}

interface Attempt {
  readonly host: string;
  readonly port: number;
  readonly hello: Line;
  readonly milliseconds: number;
}

const attempt = ({ host, port, hello, milliseconds }: Attempt, { hold, hear }: Doings): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port });
    let peer: Peer | undefined;
    const fail = (): void => {
      if (peer) return;
      clearTimeout(timer);
      socket.destroy();
      resolve(false);
    };
    const timer = setTimeout(fail, milliseconds);
    socket.once('connect', () => socket.write(`${JSON.stringify(hello)}\n`));
    socket.on('error', fail);
    socket.on('close', fail);
    onLines(socket, (line) => {
      if (peer) return hear(peer, line);
      if (!line.welcome) return fail();
      clearTimeout(timer);
      peer = hold(0, socket);
      resolve(true);
    });
  });

/** Lines of JSON; what is none ends the connection. */
function onLines(socket: Socket, handle: (line: Line) => void): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    if (rest.length > MOST_CHARACTERS) socket.destroy();
    for (const line of lines) {
      try {
        handle(JSON.parse(line));
      } catch {
        socket.destroy();
      }
    }
  });
}

/** Says that this rank is still here, and looks who has been silent for too long. */
function watch(
  peers: ReadonlyMap<number, Peer>,
  silentSeconds: number,
  { say, lose }: { say(peer: Peer, line: Line): void; lose(rank: number, how: string): void },
): () => void {
  const every = Math.min(PING_MS, (silentSeconds * 1000) / 4);
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    // this process itself did not get to listen: what the others said meanwhile is still to be read
    const late = now - last > 2 * every;
    last = now;
    for (const peer of peers.values()) {
      if (late) peer.heard = now;
      say(peer, {});
      if (now - peer.heard > silentSeconds * 1000) lose(peer.rank, `nothing was heard of it for ${silentSeconds} s`);
    }
  }, every);
  timer.unref();
  return () => clearInterval(timer);
}
