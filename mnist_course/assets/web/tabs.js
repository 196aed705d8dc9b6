// Tabs: of several views one is shown. Tab goes to the chosen one, the arrow keys from one to the next.
function makeTabs(list, shown) {
  const tabs = [...list.querySelectorAll('[role=tab]')];
  function choose(tab) {
    for (const one of tabs) {
      one.setAttribute('aria-selected', one === tab);
      one.tabIndex = one === tab ? 0 : -1;
      document.getElementById(one.getAttribute('aria-controls')).hidden = one !== tab;
    }
    shown(tab.getAttribute('aria-controls'));
  }
  list.addEventListener('click', event => { const tab = event.target.closest('[role=tab]'); if (tab) choose(tab); });
  list.addEventListener('keydown', event => {
    const at = tabs.indexOf(event.target), last = tabs.length - 1;
    const to = {ArrowRight: at < last ? at + 1 : 0, ArrowLeft: at > 0 ? at - 1 : last, Home: 0, End: last}[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    tabs[to].focus();
    choose(tabs[to]);
  });
}
