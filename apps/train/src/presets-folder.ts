/** Where the presets lie: the folder that is published beside `dist`. */
import { fileURLToPath } from 'node:url';

export const presetsFolder: string = fileURLToPath(new URL('../presets/', import.meta.url));
