/** The glossary: every word that the pages explain where they first use it, in one list. */
import { PAGES } from '../../../src/experiments/manifest';
import { Prose } from '../../format/Prose';
import { TERM_LIST } from '../../format/terms';
import { ReadingPage } from '../../page/ReadingPage';
import './glossary.css';

export default function Glossary() {
  return (
    <ReadingPage
      page="glossary"
      lead={
        <p>
          The words of policy optimization as this lab uses them. On every page, words with a dotted
          line explain themselves under the pointer, with the keyboard or at a touch.
        </p>
      }
    >
      <dl className="glossary">
        {TERM_LIST.map(({ id, name, words, page }) => (
          <div key={id} id={`word-${id}`}>
            <dt>
              <Prose>{name}</Prose>
            </dt>
            <dd>
              <Prose>{words}</Prose>
              {page !== undefined && (
                <>
                  {' '}
                  <a href={`#/${page}`}>{PAGES[page].title}</a>
                </>
              )}
            </dd>
          </div>
        ))}
      </dl>
    </ReadingPage>
  );
}
