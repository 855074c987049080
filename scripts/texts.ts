/** `npm run texts`: brings the catalogs up to the sources; new texts are left to be translated. */
import { allTexts, OTHER_LANGUAGES, renewCatalog } from './language-texts';

const texts = await allTexts();
for (const language of OTHER_LANGUAGES) {
  const missing = await renewCatalog(language, texts);
  process.stdout.write(
    `app/language/${language}.po: ${texts.length} texts, ${missing} without a translation\n`,
  );
}
