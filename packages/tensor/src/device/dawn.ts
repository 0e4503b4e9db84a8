/**
 * Adapters through Dawn's bindings for Node (npm `webgpu`). The object that their `create()` returns must stay referenced while its devices live, or Node
 * crashes, and must be dropped afterwards, or Node never exits.
 */
import { TensorError } from '../base/errors';
import { type ListedAdapter, listedAdapters, NO_ADAPTER } from './adapter-list';
import { seeingOnly } from './seeing-only';

/** An adapter with the object that must stay referenced while it is in use. */
export interface Found {
  readonly gpu: GPU;
  readonly adapter: GPUAdapter;
}

/** Everything that must not be garbage-collected while a device lives. */
const KEPT_ALIVE = new Set<GPU>();

/** Lets go of what an adapter came from, once nothing of it is in use. */
export const release = ({ gpu }: Found): boolean => KEPT_ALIVE.delete(gpu);

/** The bindings, which are loaded when a device is first asked for: whoever opens none need not have them. */
async function loadDawn(): Promise<typeof import('webgpu')> {
  return import('webgpu').catch((error: Error) => {
    throw new TensorError(
      'adapter',
      `Node opens a GPU through the npm package webgpu, which cannot be loaded (${error.message.split('\n')[0]}); install it beside @franca/tensor: npm install webgpu`,
    );
  });
}

/**
 * What answers under these flags, or what the bindings say instead.
 * @param card the PCI address of the only card that is to be seen; see `seeingOnly`
 */
export async function ask(flags: readonly string[], card?: string): Promise<Found | string> {
  const { create } = await loadDawn();
  const gpu = create([...flags]);
  KEPT_ALIVE.add(gpu);
  const request = () => gpu.requestAdapter({ powerPreference: 'high-performance' });
  try {
    const adapter = await (card === undefined ? request() : seeingOnly(card, request));
    if (adapter) return { gpu, adapter };
    KEPT_ALIVE.delete(gpu);
    return '';
  } catch (error) {
    KEPT_ALIVE.delete(gpu);
    return (error as Error).message;
  }
}

/** All adapters, in the order of the system; with `card`, those that are seen then. */
export async function list(flags: readonly string[], card?: string): Promise<ListedAdapter[]> {
  const said = await ask([...flags, `adapter=${NO_ADAPTER}`], card);
  return typeof said === 'string' ? listedAdapters(said) : [];
}
