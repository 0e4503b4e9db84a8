/** The adapters of this machine, by name, from the message in which Dawn's bindings list them: there is no call that does. */
import { SOFTWARE_NAME } from '../base/target';

/** An adapter that could be opened. */
export interface ListedAdapter {
  /** Such as `vulkan` or `metal`. */
  readonly backend: string;
  /** The device's own name. */
  readonly name: string;
}

/** The name of no adapter: asking for it gives the list. */
export const NO_ADAPTER = 'an adapter of no such name';

const LISTED = /backend: '([^']*)', name: '(.*)'\s*$/;

/** What the message names, a line an adapter; empty where it is of another form. */
export const listedAdapters = (message: string): ListedAdapter[] =>
  message.split('\n').flatMap((line) => {
    const [, backend, name] = LISTED.exec(line) ?? [];
    return backend && name ? [{ backend, name }] : [];
  });

/** Validates and computes nothing, or has no compute shaders worth the name. */
const NO_BACKEND = /null|opengl/i;

/** Those that are GPUs, by their names, in the order of the list. */
export const listedGpus = (adapters: readonly ListedAdapter[]): ListedAdapter[] =>
  adapters.filter(({ backend, name }) => !SOFTWARE_NAME.test(name) && !NO_BACKEND.test(backend));
