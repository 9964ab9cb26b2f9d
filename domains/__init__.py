"""The example mesh: five domains on the flights that left New York in 2013."""
