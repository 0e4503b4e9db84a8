/**
 * A mask as the Semantic Boundaries Dataset stores it, written by scipy.io.savemat (compressed): GTcls with Boundaries (20 sparse matrices), Segmentation and
 * CategoriesPresent. The first of 4 rows is 8 (cat); of the others the first 3 of 6 columns are 12 (dog), the last pixel is 255.
 */
export const SBD_MASK: Buffer = Buffer.from(
  'TUFUTEFCIDUuMCBNQVQtZmlsZSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAAAAAAAAAAAAABSU0PAAAA2QAAAHic42NgYGjgZGBgA9IcQMzEAAGsUD4jEgaJuYck5xSD2SwMQlBxMyB2yi/NS0ksykwthhrAEJyanpuaV5JYkpmfBxFxTixJTc8HqQkoSi0GygHF+IC4ggNhPyOa/SJI9jNA1ScwINSzIrkNxGeByiGbA6NlGAgDzlF7Ru0ZIHsmoNnDQsAeASgbJAbKt8xo9iKLsyBhmL0KcFd8sMdFD8dwHrVn1J5Re0btgdnjgWQPTByXPaDyVAIkx8PDA8dQtUD8H2SeAR7zmBhQ2zNMQMjBw8AAAOF9KzA=',
  'base64',
);
