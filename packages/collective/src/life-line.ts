/**
 * Notices that a rank is gone. MPI has no notion of it: the others wait in their exchange for ever, unless the launcher happens to end them. So every rank holds
 * one connection to rank 0, over which no value ever goes. A process that dies closes it at once, by which rank 0, or where rank 0 died everyone, knows; a
 * host that is lost, or a process that is stopped, says nothing for `silentSeconds`. Rank 0 tells the others who it was.
 *
 *   a line each way:   {"rank", "token"}  hello      {}  still here      {"bye"}  closing in peace      {"lost", "how"}  this rank is gone
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
/** Longer than any line of ours: whoever sends more is somebody else. */
const MOST_CHARACTERS = 4096;

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
    if (rank === 0) for (const peer of peers.values()) if (peer.rank !== lost) say(peer, { lost, how });
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
  const server = rank === 0 && members.length > 1 ? await listen(token, members.length, { hold, hear }) : undefined;
  const [place] = await gather<Place | object>(
    server ? { port: portOf(server), addresses: ownAddresses(), token } : {},
  );
  const socket = rank === 0 ? undefined : await reach(place as Place, members[0]!.host === members[rank]!.host);
  if (socket) {
    const peer = hold(0, socket);
    onLines(socket, (line) => hear(peer, line));
    say(peer, { rank, token: (place as Place).token });
  }
  const reached = await gather({ connected: rank === 0 || socket !== undefined });
  // who has said hello is with rank 0 by now, or will be within the first silence
  const stopWatching = watch(peers, silentSeconds, { say, lose });
  return {
    unconnected: reached.flatMap(({ connected }, other) => (connected ? [] : [other])),
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

const ownAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? [])
      .filter(({ internal, address }) => !internal && !address.startsWith('fe80'))
      .map(({ address }) => address),
  );

const portOf = (server: Server): number => (server.address() as { port: number }).port;

/** Rank 0 listens; a connection counts once it has said the token, which only ranks know. */
function listen(
  token: string,
  size: number,
  { hold, hear }: { hold(rank: number, socket: Socket): Peer; hear(peer: Peer, line: Line): void },
): Promise<Server> {
  const server = createServer((socket) => {
    let peer: Peer | undefined;
    socket.unref();
    socket.on('error', () => socket.destroy());
    onLines(socket, (line) => {
      const { rank: other = -1 } = line;
      if (peer) hear(peer, line);
      else if (line.token === token && Number.isInteger(other) && other > 0 && other < size) peer = hold(other, socket);
      else socket.destroy();
    });
  });
  server.unref();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, () => resolve(server));
  });
}

/** A connection to rank 0, on the first of its addresses that answers. */
async function reach({ port, addresses }: Place, sameHost: boolean): Promise<Socket | undefined> {
  const candidates = sameHost ? ['127.0.0.1', '::1'] : addresses;
  const each = CONNECT_MS / Math.max(candidates.length, 1);
  for (const host of candidates) {
    const socket = await attempt(host, port, each);
    if (socket) return socket;
  }
  return undefined;
}

const attempt = (host: string, port: number, milliseconds: number): Promise<Socket | undefined> =>
  new Promise((resolve) => {
    const socket = connect({ host, port });
    const give = (found: Socket | undefined) => {
      clearTimeout(timer);
      if (!found) socket.destroy();
      resolve(found);
    };
    const timer = setTimeout(() => give(undefined), milliseconds);
    socket.once('connect', () => give(socket));
    socket.on('error', () => give(undefined));
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
