/** What `lingui extract` reads, and where the macros find the runtime (`app/language`). */
import { makeConfig } from '@lingui/conf';
import { formatter } from '@lingui/format-po';

export default makeConfig({
  sourceLocale: 'en',
  locales: ['pl'],
  catalogs: [
    {
      path: '<rootDir>/app/language/{locale}',
      include: ['<rootDir>/app'],
      exclude: ['**/*.test.*'],
    },
  ],
  format: formatter({ lineNumbers: false }),
  runtimeConfigModule: { i18n: ['#i18n', 'i18n'], Trans: ['#trans', 'Trans'] },
});
