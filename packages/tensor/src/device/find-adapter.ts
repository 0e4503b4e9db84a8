/**
 * Which adapter of this machine a name means: `auto`, `gpu`, `software`, `null` or part of an adapter's own name, and with a number behind it, as in
 * `gpu:1`, which of those that it fits.
 */
import { TensorError } from '../base/errors';
import { isSoftwareAdapter, SOFTWARE_NAME } from '../base/target';
import { type ListedAdapter, listedGpus } from './adapter-list';
import { ask, type Found, list, release } from './dawn';
import { pciCards } from './pci-cards';
import { thisHost, unseenCard } from './unseen-card';

const NUMBERED = /^(.+):(\d+)$/;

/**
 * The adapter that answers to `name`, under `flags` of the bindings.
 * @param cards the PCI addresses by which cards of one name are told apart
 * @throws TensorError adapter where there is none, or where it cannot be told from others
 */
export async function findAdapter(
  name: string,
  flags: readonly string[],
  cards: () => Promise<string[]> = pciCards,
): Promise<Found> {
  const [, kind, number] = NUMBERED.exec(name) ?? [];
  if (kind) return findNumbered(kind, Number(number), flags, cards);
  if (name === 'auto' || name === 'gpu') return findGpu(name, flags);
  let reason = '';
  for (const choice of name === 'null' ? ['backend=null'] : namesFor(name).map((own) => `adapter=${own}`)) {
    const found = await ask([...flags, choice]);
    if (typeof found !== 'string') return found;
    reason = found;
  }
  throw noAdapter(name, reason);
}

const namesFor = (name: string): string[] => (name === 'software' ? ['llvmpipe', 'SwiftShader'] : [name]);

/** A GPU, whatever order the system lists its adapters in; only for `auto` the software adapter where there is none. */
async function findGpu(name: 'auto' | 'gpu', flags: readonly string[]): Promise<Found> {
  const first = await ask(flags);
  if (typeof first !== 'string' && !isSoftwareAdapter(first.adapter.info)) return first;
  for (const other of listedGpus(await list(flags))) {
    const found = await ask([...flags, ...flagsOf(other)]);
    if (typeof found === 'string') continue;
    if (!isSoftwareAdapter(found.adapter.info)) {
      if (typeof first !== 'string') release(first);
      return found;
    }
    release(found);
  }
  if (typeof first === 'string') throw noAdapter(name, first);
  if (name === 'auto') return first;
  release(first);
  throw noGpu(first.adapter.info);
}

/** Opens the first adapter whose name contains this one. */
const flagsOf = ({ backend, name }: ListedAdapter): string[] => [`backend=${backend}`, `adapter=${name}`];

/** Number `index`, from 0, of the adapters that `kind` fits. */
async function findNumbered(
  kind: string,
  index: number,
  flags: readonly string[],
  cards: () => Promise<string[]>,
): Promise<Found> {
  const all = await list(flags);
  const fitting = fittingAdapters(kind, all);
  const wanted = fitting[index];
  if (!wanted) throw noSuchNumber(kind, index, fitting);
  const alike = all.filter(({ backend, name }) => backend === wanted.backend && name.includes(wanted.name));
  if (alike.length > 1) {
    const place = fitting.slice(0, index).filter(({ name }) => name === wanted.name).length;
    return findByAddress(wanted, place, flags, await cards());
  }
  const found = await ask([...flags, ...flagsOf(wanted)]);
  if (typeof found === 'string') throw noAdapter(`${kind}:${index}`, found);
  return found;
}

function fittingAdapters(kind: string, all: readonly ListedAdapter[]): readonly ListedAdapter[] {
  const gpus = listedGpus(all);
  if (kind === 'gpu' || (kind === 'auto' && gpus.length > 0)) return gpus;
  if (kind === 'auto' || kind === 'software') return all.filter(({ name }) => SOFTWARE_NAME.test(name));
  return all.filter(({ name }) => name.includes(kind));
}

/** Of the cards of one name, the one with `place` others before it in the order of their addresses. Only a card that is seen alone counts. */
async function findByAddress(
  wanted: ListedAdapter,
  place: number,
  flags: readonly string[],
  addresses: readonly string[],
): Promise<Found> {
  let before = 0;
  for (const address of addresses) {
    const seen = await list(flags, address);
    if (seen.length !== 1 || seen[0]!.name !== wanted.name || before++ < place) continue;
    const found = await ask([...flags, ...flagsOf(wanted)], address);
    if (typeof found !== 'string') return found;
  }
  throw notToldApart(wanted, place, before, addresses);
}

const noGpu = ({ description }: GPUAdapterInfo): TensorError =>
  new TensorError(
    'adapter',
    `no GPU answers, only ${description}, which computes on the processor; ` +
      `${unseenCard(thisHost()) ?? "with a GPU, install its Vulkan driver (on Linux, libvulkan1 and the vendor's driver)"}; for the processor, ask for the adapter software`,
  );

function noAdapter(name: string, reason = ''): TensorError {
  return new TensorError(
    'adapter',
    `no WebGPU adapter answers to "${name}"${reason && ` (${reason.replace(/\s*\n\s*/g, ' ')})`}; with a GPU, install its Vulkan driver (on Linux, libvulkan1 and the vendor's driver); without one, ` +
      'install Mesa 24 or newer (Debian and Ubuntu: mesa-vulkan-drivers, on Debian 12 from bookworm-backports) for the software adapter',
  );
}

function noSuchNumber(kind: string, index: number, fitting: readonly ListedAdapter[]): TensorError {
  if (fitting.length === 0) return noAdapter(kind);
  const listed = fitting.map(({ name }, at) => `${kind}:${at} is ${name}`).join(', ');
  return new TensorError('adapter', `there is no adapter ${kind}:${index}; ${listed}`);
}

function notToldApart(
  { name }: ListedAdapter,
  place: number,
  seenAlone: number,
  addresses: readonly string[],
): TensorError {
  const tried =
    addresses.length > 0
      ? `asked for by PCI address (${addresses.join(', ')}), ${seenAlone} of them could be seen alone`
      : 'the system names no PCI addresses of cards';
  return new TensorError(
    'adapter',
    `several adapters are called ${name}, and number ${place} of them cannot be told from the others: ${tried}; install Mesa's device-select layer, which works with ` +
      "every vendor's driver (Linux, Mesa 24 or newer; Debian and Ubuntu: mesa-vulkan-drivers), or let each process see one card only (Slurm: --gpus-per-task=1 " +
      'where ConstrainDevices is set; containers: one card each)',
  );
}
