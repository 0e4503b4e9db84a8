import { expect, it } from 'vitest';
import { isPassedOver } from './passed-over';

it.each([
  '.DS_Store',
  '._cat.jpg',
  'a/._cat.jpg',
  '__MACOSX/a/cat.jpg',
  'a/Thumbs.db',
  '.thumbnails/cat.png',
  'a/.b/c.jpg',
])('passes over %s', (name) => expect(isPassedOver(name)).toBe(true));

it.each(['cat.jpg', 'a/2024.06.01_0.png', './cat.jpg', '../cats/1.jpg', 'a_.b/c.jpg', 'macosx/a.jpg'])(
  'takes %s',
  (name) => expect(isPassedOver(name)).toBe(false),
);
