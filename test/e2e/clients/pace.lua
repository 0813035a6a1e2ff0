-- wrk pauses this many milliseconds on each connection before a request, so that it does not use all of the CPU.
function delay()
  return 4
end
