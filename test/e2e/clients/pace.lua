-- wrk waits so many milliseconds on a connection before it asks: a load, without taking all of the machine.
function delay()
  return 4
end
