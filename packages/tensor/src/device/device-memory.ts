/**
 * How much memory an adapter has, which WebGPU does not say. Where it computes in the machine's memory, it is the machine's; for a card of its own, the
 * driver's tool or files are asked. Nothing of this throws, and no answer is awaited for long.
 */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { promisify } from 'node:util';
import { isSoftwareAdapter } from '../base/target';

/** An NVIDIA card, as `nvidia-smi` lists it. */
export interface Card {
  readonly name: string;
  readonly bytes: number;
}

/** Milliseconds that an answer may take: the first after the driver was loaded takes a second or two. */
const PATIENCE = 5000;

/** Whether the adapter computes in the machine's own memory. */
export const sharesMemory = (info: GPUAdapterInfo): boolean => isSoftwareAdapter(info) || info.vendor === 'apple';

/** Bytes, or undefined where nothing tells. */
export async function deviceMemory(info: GPUAdapterInfo): Promise<number | undefined> {
  if (sharesMemory(info)) return totalmem();
  if (info.vendor === 'nvidia') return memoryOfCard(await nvidiaCards(), info.device);
  if (info.vendor === 'amd') return amdMemory();
  return undefined;
}

async function nvidiaCards(): Promise<Card[]> {
  const query = ['--query-gpu=name,memory.total', '--format=csv,noheader,nounits'];
  const run = promisify(execFile);
  return run('nvidia-smi', query, { timeout: PATIENCE, killSignal: 'SIGKILL' }).then(
    ({ stdout }) => listedCards(stdout),
    () => [],
  );
}

/** The cards of lines such as `NVIDIA H100 80GB HBM3, 81559`, which are MiB; lines of another form are passed over. */
export const listedCards = (text: string): Card[] =>
  text.split('\n').flatMap((line) => {
    const [, name, mebibytes] = /^(.+), *(\d+)\s*$/.exec(line) ?? [];
    return name && Number(mebibytes) > 0 ? [{ name: name.trim(), bytes: Number(mebibytes) * 2 ** 20 }] : [];
  });

/**
 * The memory of the card that WebGPU calls `device`, its name in lower case with hyphens. Undefined where cards of several sizes could be meant.
 */
export function memoryOfCard(cards: readonly Card[], device: string): number | undefined {
  const named = cards.filter(({ name }) => hyphened(name) === hyphened(device));
  const sizes = new Set((named.length > 0 ? named : cards).map(({ bytes }) => bytes));
  return sizes.size === 1 ? [...sizes][0] : undefined;
}

const hyphened = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');

const DRM = '/sys/class/drm';

/** The largest: beside a card of its own, a processor's graphics unit has little memory, and is not what a high-performance adapter is. */
async function amdMemory(): Promise<number | undefined> {
  const cards = await readdir(DRM).catch(() => []);
  const sizes = await Promise.all(
    cards.map((card) => readFile(`${DRM}/${card}/device/mem_info_vram_total`, 'utf8').then(Number, () => 0)),
  );
  const known = sizes.filter((size) => size > 0);
  return known.length > 0 ? Math.max(...known) : undefined;
}
