// Run in the page: the texts that stand out less than 4.5 to 1 from what is behind them (WCAG 2.2, relative luminance).
(() => {
  const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
  const linear = (channel) => (channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4);
  const luminance = (colour) => {
    const [r, g, b] = channels(colour).map((channel) => linear(channel / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const { backgroundColor } = getComputedStyle(element);
    return channels(backgroundColor)[3] === 0 ? behind(element.parentElement) : backgroundColor;
  };
  const ratio = (element) => {
    const { color, fill } = getComputedStyle(element);
    const both = [element instanceof SVGElement ? fill : color, behind(element)].map(luminance);
    return (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
  };
  const hasText = ({ childNodes }) =>
    [...childNodes].some(
      ({ nodeType, textContent }) => nodeType === Node.TEXT_NODE && textContent.trim() !== '',
    );
  const texts = [...document.body.querySelectorAll(':not(title, desc)')].filter(hasText);
  return texts.filter((element) => ratio(element) < 4.5).map(({ textContent }) => textContent);
})();
