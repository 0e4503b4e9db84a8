import { fileURLToPath } from 'node:url';

/** The folder of presets that is published beside `dist`. */
export const presetsFolder: string = fileURLToPath(new URL('../presets/', import.meta.url));
